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
  for await (const item of items) {
    pending.push(answer(item));
    if (pending.length >= window) yield (await pending.shift()) as Answer;
  }
  for (const last of pending) yield await last;
}
