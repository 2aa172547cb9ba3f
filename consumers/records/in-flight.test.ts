import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { InFlight } from './in-flight.js';

/** Returns true if a promise has been resolved. */
async function isResolved(promise: Promise<void> | undefined): Promise<boolean> {
  let resolved = false;
  void promise?.then(() => (resolved = true));
  await turn();
  return resolved;
}

test('there is room below both limits, and none at either', () => {
  const inFlight = new InFlight(2, 100).share();
  inFlight.enter(99);
  assert.equal(inFlight.whenBelowLimit(), undefined);
  inFlight.enter(0);
  assert.ok(inFlight.whenBelowLimit());
  inFlight.leave(0);
  inFlight.enter(1);
  assert.deepEqual([inFlight.requests, inFlight.bytes], [2, 100]);
  inFlight.leave(99);
  assert.equal(inFlight.whenBelowLimit(), undefined);
});

test('fetching resumes when half of both limits is free, not after the first record', async () => {
  const inFlight = new InFlight(4, 100).share();
  for (const bytes of [10, 10, 10, 70]) inFlight.enter(bytes);
  const [first, second] = [inFlight.whenBelowLimit(), inFlight.whenBelowLimit()];
  for (const bytes of [10, 10, 10]) inFlight.leave(bytes);
  assert.equal(await isResolved(first), false);
  inFlight.leave(70);
  assert.deepEqual([await isResolved(first), await isResolved(second)], [true, true]);
});

test('a limit of one admits records one at a time', async () => {
  const inFlight = new InFlight(1, 100).share();
  inFlight.enter(500);
  const room = inFlight.whenBelowLimit();
  inFlight.leave(500);
  assert.equal(await isResolved(room), true);
});

test('a model that fills the common part leaves others their share', async () => {
  const whole = new InFlight(80, 1_000_000);
  const [hog, other] = [whole.share(), whole.share()];
  for (let index = 0; index < 60; index++) hog.enter(1);
  const held = hog.whenBelowLimit();
  assert.ok(held);
  for (let index = 0; index < 9; index++) other.enter(1);
  assert.equal(other.whenBelowLimit(), undefined);
  other.enter(1);
  assert.ok(other.whenBelowLimit());
  assert.equal(whole.requests, 70);
  for (let index = 0; index < 52; index++) hog.leave(1);
  assert.equal(await isResolved(held), true);
});

test('an ended share no longer counts', () => {
  const whole = new InFlight(80, 1_000_000);
  const [first, second] = [whole.share(), whole.share()];
  for (let index = 0; index < 60; index++) first.enter(1);
  assert.ok(first.whenBelowLimit());
  second.end();
  assert.equal(first.whenBelowLimit(), undefined);
});
