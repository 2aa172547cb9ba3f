import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOrder } from './in-order.js';

test('an answer is yielded before the next item arrives', async () => {
  let give: (item: number) => void = () => undefined;
  async function* items(): AsyncGenerator<number> {
    yield 1;
    yield await new Promise<number>((resolve) => (give = resolve));
  }
  const answers = inOrder(items(), (item) => Promise.resolve(item * 2));
  assert.equal((await answers.next()).value, 2);
  give(2);
  assert.equal((await answers.next()).value, 4);
  assert.equal((await answers.next()).done, true);
});

test('answers keep the order of the items, and the source is read no further than the window', async () => {
  let read = 0;
  async function* items(): AsyncGenerator<number> {
    for (; read < 20; read++) yield await Promise.resolve(read);
  }
  const delays = (item: number): Promise<number> =>
    new Promise((resolve) => setTimeout(() => resolve(item), (item % 3) * 5));
  const seen: number[] = [];
  for await (const answer of inOrder(items(), delays, 4)) {
    seen.push(answer);
    assert.ok(read <= answer + 6, `${read} read at ${answer}`);
  }
  assert.deepEqual(seen, [...Array(20).keys()]);
});
