/** Rows that may be waiting for their answer at once, for one caller. */
const WINDOW = 256;

/**
 * Answers items concurrently and yields the answers in the order of the items. It reads on only as answers are taken,
 * so that a slow reader slows the source down.
 */
export async function* inOrder<Item, Answer>(
  items: AsyncIterable<Item>,
  answer: (item: Item) => Promise<Answer>,
  window = WINDOW,
): AsyncGenerator<Answer> {
  const pending: Promise<Answer>[] = [];
  const source = items[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<Item>> | undefined = source.next();
  try {
    while (next !== undefined || pending.length > 0) {
      const [oldest] = pending;
      if (oldest && (next === undefined || pending.length >= window || (await isFirst(oldest, next)))) {
        yield await oldest;
        void pending.shift();
        continue;
      }
      const result: IteratorResult<Item> | undefined = await next;
      if (result && !result.done) pending.push(answer(result.value));
      next = result?.done ? undefined : source.next();
    }
  } finally {
    await source.return?.();
  }
}

/** Returns true if the first promise settles before the second. */
function isFirst(first: Promise<unknown>, second: Promise<unknown>): Promise<boolean> {
  return Promise.race([first.then(() => true), second.then(() => false)]);
}
