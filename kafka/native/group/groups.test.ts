import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  consumerGroupHeartbeatV1,
  findCoordinatorV4,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV4,
  metadataV11,
  offsetCommitV9,
  syncGroupV5,
} from '@platformatic/kafka';
import { createLogger } from '../../../core/log.js';
import { KafkaError } from '../../port.js';
import { encodeAssignment } from '../protocol/assignment.js';
import { ClassicGroup } from './classic-group.js';
import { ConsumerGroup } from './consumer-group.js';
import { fakeCluster, fakeMetadata } from '../../../testing/native-kafka.js';
import { Coordinator } from './group.js';

const options = { group: 'g', topic: 't', sessionTimeoutMs: 6_000 };
const coordinators = { coordinators: [{ host: 'fake', port: 1 }] };
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Builds a heartbeat response; the partitions belong to the topic with the given id. */
function heartbeatResponse(memberEpoch: number, partitions?: readonly number[], topicId = 'id'): unknown {
  const topicPartitions = partitions && partitions.length > 0 ? [{ topicId, partitions }] : [];
  return { memberEpoch, heartbeatIntervalMs: 20, assignment: partitions ? { topicPartitions } : null };
}

interface Sent {
  readonly epoch: number;
  readonly rebalanceTimeoutMs: number;
  readonly owned: { topicId: string; partitions: number[] }[] | null;
}

/** Creates a one-member group whose broker answers heartbeats with `answer`, by the number of earlier ones. */
function modernGroup(answer: (count: number, sent: Sent) => unknown): { group: ConsumerGroup; sent: Sent[] } {
  const sent: Sent[] = [];
  const cluster = fakeCluster({
    answer: (api, args) => {
      if (api === findCoordinatorV4.api) return coordinators;
      if (api === metadataV11.api) return fakeMetadata({ t: [1, 1] });
      if (api === offsetCommitV9.api) return {};
      assert.equal(api, consumerGroupHeartbeatV1.api);
      const next = { epoch: args[2], rebalanceTimeoutMs: args[5], owned: args[9] } as Sent;
      sent.push(next);
      return answer(sent.length - 1, next);
    },
  });
  return { group: new ConsumerGroup(cluster, options), sent };
}

test('a recreated topic has another id: all owned partitions are lost, and nothing is committed for them', async () => {
  let topicId = 'id';
  const { group } = modernGroup((count) => heartbeatResponse(1, count === 1 ? undefined : [0, 1], topicId));
  assert.deepEqual(await group.join(), { partitions: [0, 1], isNew: true });
  await group.commit([{ topic: 't', partition: 0, offset: 5 }]);
  topicId = 'another';
  assert.deepEqual(await group.over(), []);
  await assert.rejects(group.commit([{ topic: 't', partition: 0, offset: 5 }]), { kind: 'rebalanced' });
  assert.deepEqual(await group.join(), { partitions: [0, 1], isNew: true });
  await group.leave();
});

test('a member removed while it accepts a new assignment rejoins as a new one', async () => {
  const { group } = modernGroup((count) => {
    if (count < 2) return heartbeatResponse(1, [0]);
    if (count === 2) return heartbeatResponse(2, [0, 1]);
    if (count === 3) throw new KafkaError('rebalanced', 'FENCED_MEMBER_EPOCH');
    return heartbeatResponse(3, [0, 1]);
  });
  await group.join();
  assert.deepEqual(await group.over(), [0]);
  await assert.rejects(group.join(), { kind: 'rebalanced' });
  assert.deepEqual(await group.join(), { partitions: [0, 1], isNew: true });
  await group.leave();
});

test('after a failed heartbeat the full state is sent again, with enough time to give up partitions', async () => {
  const { group, sent } = modernGroup((count) => {
    if (count === 2) throw new KafkaError('unavailable', 'gone');
    return heartbeatResponse(1, count < 2 ? [0] : undefined);
  });
  await group.join();
  while (sent.length < 5) await sleep(10);
  await group.leave();
  const [, , failed, repeated, next] = sent;
  assert.equal(failed?.owned, null);
  assert.deepEqual(repeated, {
    epoch: 1,
    rebalanceTimeoutMs: 36_000,
    owned: [{ topicId: 'id', partitions: [0] }],
  });
  assert.equal(next?.owned, null);
});

test('heartbeats are sent one at a time', async () => {
  let [atOnce, most] = [0, 0];
  const { group } = modernGroup(async (count) => {
    most = Math.max(most, ++atOnce);
    await sleep(30);
    atOnce--;
    return heartbeatResponse(1, count < 4 ? [0] : [0, 1]);
  });
  await group.join();
  await group.over();
  await group.join();
  await sleep(50);
  await group.leave();
  assert.equal(most, 1);
});

test('a classic member closed while joining sends no heartbeat afterwards', async () => {
  let beats = 0;
  let sync: () => void = () => undefined;
  const cluster = fakeCluster({
    answer: async (api) => {
      if (api === findCoordinatorV4.api) return coordinators;
      if (api === joinGroupV9.api) return { memberId: 'm', leader: 'other', generationId: 1, members: [] };
      if (api === heartbeatV4.api) beats++;
      if (api === leaveGroupV4.api || api === heartbeatV4.api) return {};
      assert.equal(api, syncGroupV5.api);
      await new Promise<void>((resolve) => (sync = resolve));
      return { assignment: encodeAssignment('t', [0]) };
    },
  });
  const group = new ClassicGroup(
    cluster,
    { ...options, sessionTimeoutMs: 60 },
    createLogger('test', 'silent'),
  );
  const joined = group.join();
  await sleep(20);
  await group.leave();
  sync();
  await assert.rejects(joined, { kind: 'unavailable' });
  await sleep(50);
  assert.equal(beats, 0);
});

test('a coordinator that could not be found is looked up again', async () => {
  let looks = 0;
  const cluster = fakeCluster({
    answer: (api) => {
      if (api !== findCoordinatorV4.api) return {};
      if (++looks === 1) throw new KafkaError('not-authorized', 'GROUP_AUTHORIZATION_FAILED');
      return coordinators;
    },
  });
  const coordinator = new Coordinator(cluster, 'GROUP', 'g');
  await assert.rejects(coordinator.request(heartbeatV4.api, ['g', 1, 'm', null]), { kind: 'not-authorized' });
  await coordinator.request(heartbeatV4.api, ['g', 1, 'm', null]);
  assert.equal(looks, 2);
});
