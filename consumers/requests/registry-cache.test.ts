import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { RegistryError } from '../../schemas/registry/client.js';
import { RegistryCache } from './registry-cache.js';
import { settle } from '../../testing/records.js';

/** Look-ups whose answers wait for the test, with time that stands still until it moves it on. */
function lookingUp(context: TestContext) {
  const asked: { key: number; answer: (value: object) => void; fail: (error: Error) => void }[] = [];
  const away: string[] = [];
  const closing = new AbortController();
  const state = { now: 0, isUp: false };
  const lookUps = new RegistryCache<number, object>(
    (key) => new Promise((answer, fail) => asked.push({ key, answer, fail })),
    {
      signal: closing.signal,
      probe: () =>
        state.isUp ? Promise.resolve() : Promise.reject(new RegistryError('unavailable', 'away')),
      onAway: ({ message }) => away.push(message),
      now: () => state.now,
      backoff: { firstMs: 0, maxMs: 0 },
    },
  );
  context.after(() => closing.abort());
  return { lookUps, asked, away, closing, state };
}

const away = (): RegistryError => new RegistryError('unavailable', 'away');
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Waits until so many questions have been asked. */
async function until(asked: readonly unknown[], count: number): Promise<void> {
  while (asked.length < count) await later();
}

test('concurrent requests for one key are merged, and the answer is cached', async (context) => {
  const { lookUps, asked } = lookingUp(context);
  const answer = { known: true };
  const [one, other] = [lookUps.lookUp(1), lookUps.lookUp(1)];
  asked[0]?.answer(answer);
  await one;
  await other;
  assert.equal(lookUps.lookUp(1), undefined);
  assert.equal(lookUps.get(1), answer);
  assert.equal(asked.length, 1);
});

test('an unavailable registry is retried, and reported once', async (context) => {
  const { lookUps, asked, away: reported } = lookingUp(context);
  const lookUp = lookUps.lookUp(1);
  for (let attempt = 0; attempt < 3; attempt++) {
    asked[attempt]?.fail(away());
    await until(asked, attempt + 2);
  }
  assert.equal(asked.length, 4);
  asked[3]?.answer({});
  await lookUp;
  assert.deepEqual(reported, ['away']);
});

test('another server that answers with success is waited out', async (context) => {
  const { lookUps, asked, state } = lookingUp(context);
  state.isUp = true;
  const lookUp = lookUps.lookUp(1);
  for (let attempt = 0; attempt < 4; attempt++) {
    asked[attempt]?.fail(new RegistryError('unavailable', 'answered with 200', 200));
    await until(asked, attempt + 2);
  }
  asked[4]?.answer({});
  await lookUp;
  assert.deepEqual(lookUps.get(1), {});
});

test('server errors about one key are retried for half a minute, then cached as negative', async (context) => {
  const { lookUps, asked, state } = lookingUp(context);
  state.isUp = true;
  const lookUp = lookUps.lookUp(1);
  for (let attempt = 0; attempt < 4; attempt++) {
    asked[attempt]?.fail(new RegistryError('unavailable', 'answered with 502', 502));
    await until(asked, attempt + 2);
  }
  assert.equal(asked.length, 5, 'it is asked again and again');
  state.now = 30_000;
  asked[4]?.fail(new RegistryError('unavailable', 'answered with 502', 502));
  await lookUp;
  assert.match((lookUps.get(1) as Error).message, /answered with 502/);
});

test('a key on which a healthy registry keeps failing is refused', async (context) => {
  const { lookUps, asked, state } = lookingUp(context);
  state.isUp = true;
  const lookUp = lookUps.lookUp(1);
  asked[0]?.fail(new RegistryError('unavailable', 'answered with 403', 403));
  await until(asked, 2);
  asked[1]?.fail(new RegistryError('unavailable', 'answered with 403', 403));
  await lookUp;
  assert.match((lookUps.get(1) as Error).message, /403/);
});

test('a busy registry is retried without limit', async (context) => {
  const { lookUps, asked, state } = lookingUp(context);
  state.isUp = true;
  const lookUp = lookUps.lookUp(1);
  for (let attempt = 0; attempt < 5; attempt++) {
    asked[attempt]?.fail(new RegistryError('unavailable', 'too many requests', 429));
    await until(asked, attempt + 2);
  }
  asked[5]?.answer({});
  await lookUp;
  assert.deepEqual(lookUps.get(1), {});
});

test('a negative answer is cached for a while', async (context) => {
  const { lookUps, asked, state } = lookingUp(context);
  const lookUp = lookUps.lookUp(1);
  asked[0]?.fail(new RegistryError('unknown', 'no such schema'));
  await lookUp;
  state.now = 4_999;
  assert.equal(lookUps.lookUp(1), undefined);
  state.now = 5_000;
  const again = lookUps.lookUp(1);
  assert.ok(again);
  assert.deepEqual(
    { ...(lookUps.get(1) as Error) },
    { code: 'DECODE_FAILED', retryable: false, name: 'PartituraError' },
  );
  const answer = {};
  asked[1]?.answer(answer);
  await again;
  assert.equal(lookUps.get(1), answer);
});

test('both caches are bounded, and negative answers evict no valid ones', async (context) => {
  const { lookUps, asked } = lookingUp(context);
  const ask = async (key: number, end: (one: (typeof asked)[number]) => void): Promise<void> => {
    const lookUp = lookUps.lookUp(key);
    end(asked.at(-1)!);
    await lookUp;
  };
  await ask(-1, ({ answer }) => answer({}));
  for (let key = 0; key <= 1_000; key++) await ask(key, ({ fail }) => fail(new Error('no')));
  assert.equal(lookUps.lookUp(-1), undefined);
  assert.ok(lookUps.lookUp(0), 'the oldest refusal is forgotten');
  for (let key = 2_000; key < 3_000; key++) await ask(key, ({ answer }) => answer({}));
  assert.ok(lookUps.lookUp(-1), 'the oldest answer is forgotten');
});

test('after the signal nothing is requested or reported', async (context) => {
  const { lookUps, asked, away: reported, closing } = lookingUp(context);
  let settled = 0;
  void lookUps.lookUp(1)?.finally(() => settled++);
  closing.abort();
  asked[0]?.fail(away());
  await later();
  void lookUps.lookUp(2)?.finally(() => settled++);
  await settle();
  assert.deepEqual([asked.length, settled, reported], [1, 0, []]);
});

test('a key that was not requested has no answer', (context) => {
  assert.throws(() => lookingUp(context).lookUps.get(7), { code: 'INTERNAL', message: /about 7/ });
});
