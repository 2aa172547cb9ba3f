import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { decodeAssignment, encodeAssignment, encodeSubscription } from './assignment.js';

const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol;

test('subscriptions and assignments are encoded as by kafkajs, byte for byte', () => {
  const none = Buffer.alloc(0);
  assert.deepEqual(
    encodeSubscription('tópic'),
    MemberMetadata.encode({ version: 0, topics: ['tópic'], userData: none }),
  );
  assert.deepEqual(
    encodeAssignment('tópic', [0, 3]),
    MemberAssignment.encode({ version: 0, assignment: { tópic: [0, 3] }, userData: none }),
  );
});

test('only the own topic of an assignment is read, and an empty assignment has no partitions', () => {
  const assignment = { other: [7], mine: [1, 2] };
  const bytes = MemberAssignment.encode({ version: 0, assignment, userData: Buffer.from('x') });
  assert.deepEqual(decodeAssignment('mine', bytes), [1, 2]);
  assert.deepEqual(decodeAssignment('unknown', bytes), []);
  assert.deepEqual(decodeAssignment('mine', Buffer.alloc(0)), []);
});
