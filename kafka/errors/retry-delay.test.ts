import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelayMs } from './retry-delay.js';

const inFull = (): number => 0;

/** Lists the delays until this many milliseconds have passed. */
function delaysWithin(limitMs: number): number[] {
  const delays: number[] = [];
  for (let passed = 0; passed < limitMs; passed += delays.at(-1) ?? 0)
    delays.push(retryDelayMs(delays.length + 1, inFull));
  return delays;
}

test('a moving leader is looked up at least four times a second while an election may take', () => {
  const delays = delaysWithin(9_000);
  assert.equal(delays[0], 50);
  assert.ok(Math.max(...delays) <= 250);
  assert.ok(delays.length <= 40, `${delays.length} tries`);
});

test('a broker that stays unavailable is retried once a second', () => {
  const delays = delaysWithin(60_000);
  assert.equal(delays.at(-1), 1_000);
  assert.ok(delays.length <= 110, `${delays.length} tries in a minute`);
});
