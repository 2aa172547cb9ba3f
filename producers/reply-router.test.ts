import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { NoReplyError } from './no-reply-error.js';
import { ReplyRouter } from './reply-router.js';

const AN_HOUR_MS = 60 * 60_000;

test('each reply resolves its own call, once', async () => {
  const router = new ReplyRouter<string>();
  const [a, b] = [router.expect('a', AN_HOUR_MS), router.expect('b', AN_HOUR_MS)];
  assert.equal(router.deliver('b', 'for b'), true);
  assert.equal(router.deliver('a', 'for a'), true);
  assert.deepEqual(await Promise.all([a, b]), ['for a', 'for b']);
  assert.deepEqual(
    [router.deliver('a', 'again'), router.deliver('unknown', 'x'), router.size],
    [false, false, 0],
  );
});

test('a call that waits too long fails, and a later reply is ignored', async () => {
  const router = new ReplyRouter<string>();
  await assert.rejects(router.expect('a', 1), {
    name: 'NoReplyError',
    reason: 'timeout',
    message: 'no reply within 1 ms',
  });
  assert.equal(router.deliver('a', 'late'), false);
});

test('a timeout beyond the range of timers does not fire at once', async () => {
  const router = new ReplyRouter<string>();
  const waiting = router.expect('a', Infinity);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(router.waits('a'), true);
  router.deliver('a', 'finally');
  assert.equal(await waiting, 'finally');
});

test('a call can be aborted, before or while it waits', async () => {
  const router = new ReplyRouter<string>();
  const controller = new AbortController();
  const waiting = router.expect('a', AN_HOUR_MS, controller.signal);
  controller.abort('changed my mind');
  await assert.rejects(waiting, { reason: 'aborted', cause: 'changed my mind' });
  await assert.rejects(router.expect('b', AN_HOUR_MS, controller.signal), { reason: 'aborted' });
  assert.equal(router.size, 0);
});

test('a settled call removes its signal listener', async () => {
  const router = new ReplyRouter<string>();
  const { signal } = new AbortController();
  const waiting = router.expect('a', AN_HOUR_MS, signal);
  router.deliver('a', 'reply');
  await waiting;
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('closing fails all pending and later calls, with the first reason', async () => {
  const router = new ReplyRouter<string>();
  const waiting = [router.expect('a', AN_HOUR_MS), router.expect('b', AN_HOUR_MS)];
  router.close(new NoReplyError('closed', 'first'));
  router.close(new NoReplyError('closed', 'second'));
  for (const promise of [...waiting, router.expect('c', AN_HOUR_MS)]) {
    await assert.rejects(promise, { reason: 'closed', message: 'first' });
  }
});
