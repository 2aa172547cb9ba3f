import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import type { Tensor } from '../../schemas/generated.js';
import { encodeElements } from '../../schemas/tensor.js';
import type { ModelName } from '../support/harness.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { steadyLoad } from '../support/load.js';
import type { RawClient } from '../support/raw-client.js';

/** Two nodes that are restarted after a crash. */
let harness: Harness;
let nodes: Awaited<ReturnType<Harness['supervisedNode']>>[];
let caller: RawClient;
const LIMIT_MS = 120_000;

before(async () => {
  harness = await Harness.start(['divide-onnx', 'abort-onnx', 'memory-onnx', 'scale-onnx'], {
    sessionTimeoutMs: 6_000,
    drainTimeoutMs: 5_000,
  });
  nodes = await Promise.all(['first', 'second'].map((nodeId) => harness.supervisedNode({ nodeId })));
  caller = await harness.rawClient();
});
after(() => harness.close());

const deaths = (): number => nodes.reduce((sum, { restarts }) => sum + restarts, 0);

function int32(name: string, ...values: number[]): Tensor {
  return { name, datatype: 'INT32', shape: [values.length], data: encodeElements('INT32', values, name) };
}

function fp32(name: string, ...values: number[]): Tensor {
  return { name, datatype: 'FP32', shape: [values.length], data: encodeElements('FP32', values, name) };
}

function int64(name: string, ...values: bigint[]): Tensor {
  return { name, datatype: 'INT64', shape: [values.length], data: encodeElements('INT64', values, name) };
}

const ask = (model: ModelName, inputs: Tensor[], partition?: number): string =>
  caller.request(
    harness.topics.requests(model),
    { model, inputs },
    partition === undefined ? {} : { partition },
  );

/** Returns the error code of the replies to a request, which may repeat if it was answered but not committed before a crash. */
function codeOf(correlation: string): string | undefined {
  const codes = new Set(caller.repliesTo(correlation).map(({ error }) => error?.code));
  assert.equal(codes.size, 1, `${correlation}: ${[...codes].join(', ')}`);
  return [...codes][0];
}

async function deadLetterCodes(model: ModelName): Promise<(string | undefined)[]> {
  const letters = await harness.deadLetters(model);
  return letters.map(({ headers }) => headerText(headers, 'inference-error'));
}

test('a request that crashes its process with SIGFPE becomes a dead letter after one crash, and no other request is lost', async (t) => {
  const others = steadyLoad(caller, harness.topics.requests('scale-onnx'), 'scale-onnx', 1);
  t.after(() => others.stop(LIMIT_MS));
  const around = (): string[] =>
    Array.from({ length: 20 }, (_, index) =>
      ask('divide-onnx', [int32('a', index), int32('b', 1)], index % 4),
    );
  const before = around();
  const bomb = ask('divide-onnx', [int32('a', -(2 ** 31)), int32('b', -1)], 1);
  const after = around();
  await caller.answered([...before, bomb, ...after], LIMIT_MS);
  for (const correlation of [...before, ...after]) assert.equal(codeOf(correlation), undefined);
  assert.equal(codeOf(bomb), 'MODEL_CRASHED');
  assert.match(caller.repliesTo(bomb)[0]?.error?.message ?? '', /SIGFPE/);
  assert.deepEqual(await deadLetterCodes('divide-onnx'), ['MODEL_CRASHED']);
  assert.equal(deaths(), 1);
  for (const { correlation } of await others.stop(LIMIT_MS)) assert.equal(codeOf(correlation), undefined);
  await eventually('all offsets are committed', async () => (await harness.uncommitted('divide-onnx')) === 0);
});

test('consecutive crashes cause no additional crash once the first is known', async () => {
  const died = deaths();
  for (const partition of [0, 1, 2, 3]) {
    const bomb = ask('divide-onnx', [int32('a', -(2 ** 31)), int32('b', -1)], partition);
    const good = ask('divide-onnx', [int32('a', 6), int32('b', 3)], partition);
    await caller.answered([bomb, good], LIMIT_MS);
    assert.deepEqual([codeOf(bomb), codeOf(good)], ['MODEL_CRASHED', undefined]);
  }
  assert.ok(deaths() <= died + 1, 'the other node may not have been informed');
});

test('of several requests that abort their process, sent together, each is detected, with one additional crash', async () => {
  const died = deaths();
  const good = Array.from({ length: 30 }, (_, index) => ask('abort-onnx', [fp32('x', -index)], 0));
  const bombs = Array.from({ length: 3 }, () => ask('abort-onnx', [fp32('x', 1)], 0));
  const more = Array.from({ length: 30 }, (_, index) => ask('abort-onnx', [fp32('x', -index)], 0));
  await caller.answered([...good, ...bombs, ...more], LIMIT_MS);
  for (const correlation of [...good, ...more]) assert.equal(codeOf(correlation), undefined);
  for (const correlation of bombs) assert.equal(codeOf(correlation), 'MODEL_CRASHED');
  assert.equal((await deadLetterCodes('abort-onnx')).length, 3);
  assert.equal(deaths(), died + 1);
});

test('a request that asks for 2^40 bytes fails alone', async () => {
  const died = deaths();
  const huge = ask('memory-onnx', [int64('count', 2n ** 38n)]);
  const small = ask('memory-onnx', [int64('count', 5n)]);
  await caller.answered([huge, small], LIMIT_MS);
  assert.equal(codeOf(small), undefined);
  assert.match(codeOf(huge) ?? '', /^MODEL_(FAILED|CRASHED)$/);
  assert.equal(deaths(), died);
});

test('a version that crashes during warm-up fails to load with the signal, and the last good one keeps serving', async () => {
  const died = deaths();
  await harness.addModel('abort-always-onnx');
  const next = join(harness.models, 'scale-onnx', '3');
  await cp(join(harness.models, 'abort-always-onnx', '1'), next, { recursive: true });
  await eventually('both are reported', async () => {
    const states = await Promise.all(nodes.map(({ process }) => statesAt(process.ready.health)));
    return states.every((models) =>
      ['abort-always-onnx 1', 'scale-onnx 3'].every((wanted) =>
        models.some(
          ({ model, version, state, message }) =>
            `${model} ${version}` === wanted && state === 'FAILED' && /SIGABRT/.test(message ?? ''),
        ),
      ),
    );
  });
  const answered = ask('scale-onnx', [{ ...fp32('x', 1, 2, 3, 4), shape: [1, 4] }]);
  await caller.answered([answered], LIMIT_MS);
  assert.equal(caller.replyTo(answered).modelVersion, '2');
  assert.equal(deaths(), died);
});

interface ModelState {
  readonly model: string;
  readonly version: string;
  readonly state: string;
  readonly message: string | null;
}

/** Empty while the node is being restarted. */
async function statesAt(health: string): Promise<ModelState[]> {
  const response = await fetch(`${health}/healthz`).catch(() => undefined);
  return response ? ((await response.json()) as { models: ModelState[] }).models : [];
}
