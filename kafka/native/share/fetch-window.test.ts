import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchWindow } from './fetch-window.js';

test('one record is asked for at a time until more wait, and then twice as many each time', () => {
  const window = new FetchWindow();
  assert.equal(window.records, 1);
  window.observe({ asked: 1, records: 1, ms: 400 });
  assert.deepEqual([window.records, window.aheadMs], [1, 0]);
  window.observe({ asked: 1, records: 1, ms: 2 });
  window.observe({ asked: 2, records: 2, ms: 2 });
  assert.equal(window.records, 4);
  for (let asked = 4; asked < 4_000; asked *= 2) window.observe({ asked, records: asked, ms: 2 });
  assert.equal(window.records, 1_000);
});

test('a fetch that brings less than asked for ends the backlog, and an empty one starts over', () => {
  const window = new FetchWindow();
  for (const asked of [1, 2, 4, 8]) window.observe({ asked, records: asked, ms: 2 });
  window.observe({ asked: 16, records: 3, ms: 2 });
  assert.deepEqual([window.records, window.aheadMs, window.askAgainMs], [6, 0, Infinity]);
  window.observe({ asked: 6, records: 0, ms: 500 });
  assert.equal(window.records, 1);
});

test('records are taken ahead for as long as most fetches take, which grows with their variance', () => {
  const [steady, varying] = [new FetchWindow(), new FetchWindow()];
  for (let round = 0; round < 100; round++) {
    steady.observe({ asked: 1, records: 1, ms: 4 });
    varying.observe({ asked: 1, records: 1, ms: round % 2 === 0 ? 1 : 7 });
  }
  assert.ok(Math.abs(steady.aheadMs - 4) < 0.5, `got ${steady.aheadMs}`);
  assert.ok(varying.aheadMs > 10, `got ${varying.aheadMs}`);
});
