import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { assignPartitions, isForeign, subscribedTopics, type GroupMember } from './subscriptions.js';

const { MemberMetadata } = kafkajs.AssignerProtocol;
const metadata = (...topics: string[]): Buffer =>
  MemberMetadata.encode({ version: 1, topics, userData: Buffer.from('user data') });
const member = (memberId: string, ...topics: string[]): GroupMember => ({
  memberId,
  subscription: metadata(...topics),
});

test('partitions are distributed evenly, regardless of the order of members, and surplus members get none', () => {
  const [a, b] = [member('a', 't'), member('b', 'other', 't')];
  const assignments = assignPartitions([b, a], 't', 5);
  assert.deepEqual(
    [assignments.get('a'), assignments.get('b')],
    [
      [0, 2, 4],
      [1, 3],
    ],
  );
  assert.deepEqual(assignments, assignPartitions([a, b], 't', 5));
  assert.deepEqual(assignPartitions([a, b], 't', 1).get('b'), []);
});

test('members that do not subscribe to the topic get none of its partitions', () => {
  const broken = { memberId: 'a-broken', subscription: Buffer.from([0, 0, 0]) };
  const assignments = assignPartitions([member('b', 't'), member('a', 'another'), broken], 't', 3);
  assert.deepEqual([...assignments], [['b', [0, 1, 2]]]);
});

test('a truncated subscription is read up to its end', () => {
  const whole = metadata('tópic', 'b');
  assert.deepEqual(subscribedTopics(whole), ['tópic', 'b']);
  for (let length = 0; length < whole.length; length++) {
    const topics = subscribedTopics(whole.subarray(0, length));
    assert.deepEqual(topics, ['tópic', 'b'].slice(0, topics.length), `${length} bytes`);
  }
  assert.deepEqual(subscribedTopics(Buffer.from('0000ffffffff', 'hex')), []);
});

test('a member is foreign if its subscription names only other topics, but not if the subscription is unknown', () => {
  assert.deepEqual(
    [metadata('another'), metadata('another', 't'), Buffer.alloc(0)].map((one) => isForeign(one, 't')),
    [true, false, false],
  );
});
