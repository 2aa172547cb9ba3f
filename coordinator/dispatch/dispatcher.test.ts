import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PartituraError } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { Dispatcher, type SendPart } from './dispatcher.js';
import { DoneParts } from './done-parts.js';
import { PartsFailedError, type Part } from './part.js';
import { StragglerLimit } from './straggler-limit.js';

const LIMITS = { parts: 4, bytes: 1_000, retryMs: 10_000 };

const partOf = (index: number, bytes = 1): Part => ({
  model: String(index),
  inputs: [{ name: 'x', datatype: 'UINT8', shape: [bytes], data: Buffer.alloc(bytes, index) }],
});
const answer = ({ inputs }: Part): readonly Tensor[] => inputs;

async function collect(results: AsyncIterable<readonly Tensor[]>): Promise<number[]> {
  const seen: number[] = [];
  for await (const [output] of results) seen.push(output?.data[0] ?? -1);
  return seen;
}

const dispatcher = (send: SendPart, limits = LIMITS): Dispatcher =>
  new Dispatcher(send, limits, new AbortController().signal);

test('results keep the order of parts whatever the order of arrival, and no more parts are in flight than the limit', async () => {
  const delays = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(delays, async (waits) => {
      let inFlight = 0;
      let most = 0;
      const sending = dispatcher(async (part) => {
        most = Math.max(most, ++inFlight);
        for (let turn = 0; turn < (waits[Number(part.model)] ?? 0); turn++)
          await new Promise((resolve) => setImmediate(resolve));
        inFlight--;
        return answer(part);
      });
      const parts = waits.map((_, index) => partOf(index));
      assert.deepEqual(
        await collect(sending.inOrder(parts)),
        parts.map((_, index) => index),
      );
      assert.ok(most <= LIMITS.parts);
      assert.equal(sending.done.count, parts.length);
    }),
    { numRuns: 50 },
  );
});

test('parts are read only while their bytes fit', async () => {
  let read = 0;
  function* parts(): Generator<Part> {
    for (; read < 10; read++) yield partOf(read, 600);
  }
  for await (const [output] of dispatcher((part) => Promise.resolve(answer(part))).inOrder(parts()))
    assert.ok(read <= (output?.data[0] ?? 0) + 2, `${read} parts were read`);
});

test('a part is sent again after a passing failure, and a lasting failure names all parts in flight that fail', async () => {
  const attempts = new Map<string, number>();
  const sending = dispatcher(({ model, inputs }) => {
    const attempt = (attempts.get(model) ?? 0) + 1;
    attempts.set(model, attempt);
    if (model === '1' && attempt === 1) throw new PartituraError('MODEL_NOT_READY', 'loading');
    if (model === '5' || model === '7') throw new PartituraError('MODEL_FAILED', `bad ${model}`);
    return Promise.resolve(inputs);
  });
  const seen: number[] = [];
  await assert.rejects(
    async () => {
      for await (const [output] of sending.inOrder(Array.from({ length: 20 }, (_, index) => partOf(index))))
        seen.push(output?.data[0] ?? -1);
    },
    (error: unknown) =>
      error instanceof PartsFailedError && String(error.parts) === '5,7' && error.message.endsWith('bad 5'),
  );
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  assert.equal(attempts.get('1'), 2);
});

test('a part that takes much longer than others is sent a second time, and the first result counts', async () => {
  let sent = 0;
  let aborted = false;
  const sending = dispatcher(async (part, signal) => {
    if (part.model !== '5' || sent++ > 0) return answer(part);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    aborted = true;
    throw new Error('aborted');
  });
  const seen = await collect(sending.inOrder(Array.from({ length: 8 }, (_, index) => partOf(index))));
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(sending.repeated, 1);
  assert.equal(sent, 2);
  assert.ok(aborted, 'the first request is cancelled');
});

test('an aborted job sends no further parts', async () => {
  const ending = new AbortController();
  let sent = 0;
  const sending = new Dispatcher(
    (part) => {
      if (++sent === 3) ending.abort(new Error('cancelled'));
      return Promise.resolve(answer(part));
    },
    { ...LIMITS, parts: 1 },
    ending.signal,
  );
  await assert.rejects(
    collect(sending.inOrder(Array.from({ length: 20 }, (_, index) => partOf(index)))),
    /cancelled/,
  );
  assert.equal(sent, 3);
});

test('done parts are written as ranges', () => {
  const done = new DoneParts();
  for (const index of [4, 0, 1, 6, 7, 2]) done.add(index);
  assert.equal(String(done), '0-2,4,6-7');
  assert.equal(done.count, 6);
  for (const index of [3, 5]) done.add(index);
  assert.equal(String(done), '0-7');
});

test('no part is late before some are known, and never within a second', () => {
  const limit = new StragglerLimit();
  assert.equal(limit.ms, Infinity);
  for (const ms of [5, 10, 7]) limit.note(ms);
  assert.equal(limit.ms, 1_000);
  for (let count = 0; count < 10; count++) limit.note(600);
  assert.equal(limit.ms, 2_400);
});
