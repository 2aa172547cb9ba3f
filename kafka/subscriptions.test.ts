import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { dealOut, isForeign, subscribedTopics, type GroupMember } from './subscriptions.js';

const { MemberMetadata } = kafkajs.AssignerProtocol;
const metadata = (...topics: string[]): Buffer =>
  MemberMetadata.encode({ version: 1, topics, userData: Buffer.from('user data') });
const member = (memberId: string, ...topics: string[]): GroupMember => ({
  memberId,
  subscription: metadata(...topics),
});

test('partitions are dealt out evenly, whatever the order of members, and some get none', () => {
  const [a, b] = [member('a', 't'), member('b', 'other', 't')];
  const dealt = dealOut([b, a], 't', 5);
  assert.deepEqual(
    [dealt.get('a'), dealt.get('b')],
    [
      [0, 2, 4],
      [1, 3],
    ],
  );
  assert.deepEqual(dealt, dealOut([a, b], 't', 5));
  assert.deepEqual(dealOut([a, b], 't', 1).get('b'), []);
});

test('members that do not subscribe to the topic get none of its partitions', () => {
  const broken = { memberId: 'a-broken', subscription: Buffer.from([0, 0, 0]) };
  const dealt = dealOut([member('b', 't'), member('a', 'another'), broken], 't', 3);
  assert.deepEqual([...dealt], [['b', [0, 1, 2]]]);
});

test('a subscription is read as far as it goes', () => {
  const whole = metadata('tópic', 'b');
  assert.deepEqual(subscribedTopics(whole), ['tópic', 'b']);
  for (let length = 0; length < whole.length; length++) {
    const topics = subscribedTopics(whole.subarray(0, length));
    assert.deepEqual(topics, ['tópic', 'b'].slice(0, topics.length), `${length} bytes`);
  }
  assert.deepEqual(subscribedTopics(Buffer.from('0000ffffffff', 'hex')), []);
});

test('a member is foreign when it says that it reads another topic, and not when nothing is known of it', () => {
  assert.deepEqual(
    [metadata('another'), metadata('another', 't'), Buffer.alloc(0)].map((one) => isForeign(one, 't')),
    [true, false, false],
  );
});
