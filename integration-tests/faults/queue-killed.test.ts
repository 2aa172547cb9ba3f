import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import { encodeElements } from '../../schemas/tensor.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats, valuesOf, type RawClient } from '../support/raw-client.js';

let harness: Harness;
let caller: RawClient;
const LIMIT_MS = 120_000;
/** Between requests; `slow` takes some tens of milliseconds. */
const EVERY_MS = 60;
/** Requests without an answer, so that a busy machine does not fall behind. */
const MAX_OPEN = 8;

before(async () => {
  harness = await Harness.start(['slow', 'divide-onnx'], { delivery: 'queue', kafkaClient: 'native' });
  caller = await harness.rawClient();
});
after(() => harness.close());

async function lag(model: 'slow' | 'divide-onnx'): Promise<number> {
  const [group, topic] = [harness.topics.group(model), harness.topics.requests(model)];
  const lags = await harness.withAdmin((admin) => admin.shareGroupLag(group, topic));
  return lags.reduce((sum, { lag: records }) => sum + records, 0);
}

const askSlow = (number: number): string =>
  caller.request(harness.topics.requests('slow'), {
    model: 'slow',
    inputs: [floats('x', [1, 4], [number, 1, 2, 3])],
  });

test('requests that a killed node of a queue holds are answered by the other, with the same values', async (t) => {
  const doomed = await harness.nodeProcess({ nodeId: 'doomed' });
  const heir = await harness.nodeProcess({ nodeId: 'heir' });
  const asked: string[] = [];
  const answersOf = (node: string): number =>
    asked.filter((correlation) => caller.repliesTo(correlation)[0]?.node === node).length;
  const open = (): number => asked.filter((correlation) => !caller.replies.has(correlation)).length;
  const timer = setInterval(() => open() < MAX_OPEN && asked.push(askSlow(asked.length)), EVERY_MS);
  t.after(() => clearInterval(timer));
  await eventually('answers of both', () => answersOf('doomed') > 3 && answersOf('heir') > 3, LIMIT_MS);
  // Both are busy when one of them dies.
  for (let more = 0; more < 6; more++) asked.push(askSlow(asked.length));
  await eventually('an answer', () => asked.slice(-6).some((correlation) => caller.replies.has(correlation)));
  doomed.kill('SIGKILL');
  clearInterval(timer);
  const killedAt = performance.now();
  await caller.answered(asked, LIMIT_MS);
  t.diagnostic(`all requests answered ${Math.round(performance.now() - killedAt)} ms after the kill`);
  assert.equal((await doomed.exited).signal, 'SIGKILL');
  for (const [number, correlation] of asked.entries())
    for (const reply of caller.repliesTo(correlation))
      assert.deepEqual(valuesOf(reply.outputs[0]), [number, 1, 2, 3]);
  await eventually('every record is acknowledged', async () => (await lag('slow')) === 0);
  await heir.stop();
});

test('a node that stops finishes or releases what it holds, and the other answers the rest', async () => {
  const leaving = await harness.nodeProcess({ nodeId: 'leaving', drainTimeoutMs: 100 });
  const staying = await harness.nodeProcess({ nodeId: 'staying' });
  const asked = Array.from({ length: 40 }, (_, index) => askSlow(index));
  await eventually('first answers', () => asked.some((correlation) => caller.replies.has(correlation)));
  await leaving.stop();
  await caller.answered(asked, LIMIT_MS);
  await eventually('every record is acknowledged', async () => (await lag('slow')) === 0);
  await staying.stop();
});

test('a request that crashes its node becomes a dead letter after one crash, and is not archived silently', async () => {
  const nodes = await Promise.all(['first', 'second'].map((nodeId) => harness.supervisedNode({ nodeId })));
  const ask = (a: number, b: number): string =>
    caller.request(harness.topics.requests('divide-onnx'), {
      model: 'divide-onnx',
      inputs: [
        { name: 'a', datatype: 'INT32', shape: [1], data: encodeElements('INT32', [a], 'a') },
        { name: 'b', datatype: 'INT32', shape: [1], data: encodeElements('INT32', [b], 'b') },
      ],
    });
  const before = Array.from({ length: 20 }, (_, index) => ask(index, 1));
  const bomb = ask(-(2 ** 31), -1);
  const after = Array.from({ length: 20 }, (_, index) => ask(index, 1));
  await caller.answered([...before, bomb, ...after], LIMIT_MS);
  const codes = (correlation: string): (string | undefined)[] =>
    caller.repliesTo(correlation).map(({ error }) => error?.code);
  for (const correlation of [...before, ...after])
    assert.deepEqual([...new Set(codes(correlation))], [undefined]);
  assert.deepEqual(codes(bomb), ['MODEL_CRASHED']);
  const letters = await harness.deadLetters('divide-onnx');
  assert.deepEqual(
    letters.map(({ headers }) => headerText(headers, 'inference-error')),
    ['MODEL_CRASHED'],
  );
  const restarts = (): number => nodes.reduce((sum, node) => sum + node.restarts, 0);
  // The other node answers before the first one is started again.
  await eventually('the crashed node is restarted', () => restarts() > 0);
  assert.equal(restarts(), 1);
  await eventually('every record is acknowledged', async () => (await lag('divide-onnx')) === 0);
});
