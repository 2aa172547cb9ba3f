import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShareSession } from './share-session.js';

test('requests of a session are numbered from 0, and only changes of its partitions are named', () => {
  const session = new ShareSession();
  assert.deepEqual([session.epoch, session.isOpen], [0, false]);
  assert.deepEqual(session.change([0, 1]), { added: [0, 1], forgotten: [] });
  session.fetched('id', [0, 1]);
  assert.deepEqual([session.epoch, session.isOpen, session.topicId], [1, true, 'id']);
  assert.deepEqual(session.change([0, 1]), { added: [], forgotten: [] });
  assert.deepEqual(session.change([1, 2]), { added: [2], forgotten: [0] });
  session.advance();
  assert.equal(session.epoch, 2);
});

test('after a reset, the next fetch opens a new session with all partitions', () => {
  const session = new ShareSession();
  session.fetched('id', [0]);
  session.reset();
  assert.deepEqual([session.epoch, session.change([0])], [0, { added: [0], forgotten: [] }]);
});
