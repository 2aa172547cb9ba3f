import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { backoffMs, sleep, within } from './time.js';

const AN_HOUR_MS = 60 * 60_000;

test('each delay is twice the previous one, up to a maximum, minus random jitter of up to a fifth', () => {
  const backoff = { firstMs: 100, maxMs: 1_000 };
  const waits = (random: number): number[] =>
    [1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(backoff, attempt, () => random));
  assert.deepEqual(waits(0), [100, 200, 400, 800, 1_000, 1_000]);
  assert.deepEqual(waits(0.5), [90, 180, 360, 720, 900, 900]);
});

test('sleep ends when its signal aborts, or at once if it is already aborted', async () => {
  const controller = new AbortController();
  const sleeping = sleep(AN_HOUR_MS, controller.signal);
  controller.abort();
  await sleeping;
  await sleep(AN_HOUR_MS, controller.signal);
});

test('a finished sleep removes its signal listener', async () => {
  const { signal } = new AbortController();
  await sleep(0, signal);
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('work that finishes in time returns its result or its own error', async () => {
  const late = (): Error => new Error('late');
  assert.equal(await within(AN_HOUR_MS, Promise.resolve(7), late), 7);
  await assert.rejects(within(AN_HOUR_MS, Promise.reject(new Error('own')), late), /own/);
});

test('work that takes too long fails with the given error', async () => {
  await assert.rejects(
    within(0, new Promise(() => undefined), () => new Error('late')),
    /late/,
  );
});
