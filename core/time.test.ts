import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { backoffMs, sleep, within } from './time.js';

const AN_HOUR_MS = 60 * 60_000;

test('each wait is twice the one before, up to the longest, less up to a fifth by chance', () => {
  const backoff = { firstMs: 100, maxMs: 1_000 };
  const waits = (random: number): number[] =>
    [1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(backoff, attempt, () => random));
  assert.deepEqual(waits(0), [100, 200, 400, 800, 1_000, 1_000]);
  assert.deepEqual(waits(0.5), [90, 180, 360, 720, 900, 900]);
});

test('sleep ends when its signal aborts, or at once when it has', async () => {
  const controller = new AbortController();
  const sleeping = sleep(AN_HOUR_MS, controller.signal);
  controller.abort();
  await sleeping;
  await sleep(AN_HOUR_MS, controller.signal);
});

test('a sleep that is over listens to its signal no longer', async () => {
  const { signal } = new AbortController();
  await sleep(0, signal);
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('work in time gives its result or its own error', async () => {
  const late = (): Error => new Error('late');
  assert.equal(await within(AN_HOUR_MS, Promise.resolve(7), late), 7);
  await assert.rejects(within(AN_HOUR_MS, Promise.reject(new Error('own')), late), /own/);
});

test('work that takes too long is given up with the error that was named', async () => {
  await assert.rejects(
    within(0, new Promise(() => undefined), () => new Error('late')),
    /late/,
  );
});
