import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from './slots.js';

test('no more tasks run at once than there are slots, in the order of their arrival, also after a failure', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const runs = [0, 1, 2, 3].map((task) =>
    slots
      .run(async () => {
        begun.push(task);
        await new Promise<void>((resolve) => (ends[task] = resolve));
        if (task === 0) throw new Error('failed');
      })
      .catch(() => undefined),
  );
  assert.deepEqual(begun, [0, 1]);
  ends[0]?.();
  await runs[0];
  assert.deepEqual(begun, [0, 1, 2]);
  ends[1]?.();
  await runs[1];
  assert.deepEqual(begun, [0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  await Promise.all(runs);
});
