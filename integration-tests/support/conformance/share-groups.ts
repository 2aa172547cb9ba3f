import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Acknowledgement, SharedRecord } from '../../../kafka/share-port.js';
import { eventually } from '../eventually.js';
import { LOCK_MS, plain, type PortUnderTest } from './port-under-test.js';
import { hold, type ShareMember } from './share-member.js';

const MEMBER = fileURLToPath(new URL('./share-member-process.js', import.meta.url));

/** Tests share groups (KIP-932), or that a client without them says so. */
export function testShareGroups(port: PortUnderTest): void {
  test('a client has share groups, or gives the reason why not', async () => {
    const { shareGroups } = port.abilities;
    assert.equal(port.kafka.abilities.shareGroups, shareGroups);
    const problem = await port.admin.shareGroupProblem();
    if (shareGroups) return assert.equal(problem, undefined);
    assert.match(problem ?? '', /kafkajs has no share groups/);
    assert.throws(
      () => port.kafka.shareConsumer({ group: 'g', topic: 't', fetchMaxBytes: 1 }),
      /kafkajs has no share groups/,
    );
  });
  if (!port.abilities.shareGroups) return;
  testDelivery(port);
  testLocks(port);
}

function testDelivery(port: PortUnderTest): void {
  test('records written before the group exists are delivered, each to one member', async () => {
    const { topic, group } = await filled(port, 300);
    const members = [
      await port.share(topic, group, { room: 5 }),
      await port.share(topic, group, { room: 5 }),
    ];
    await eventually('all records', () => count(members) === 300);
    await send(port, topic, 300, 300);
    await eventually('all further records', () => count(members) === 600);
    assert.deepEqual(sorted(members), numbers(600));
    assert.ok(members.every(({ delivered }) => delivered.length > 0));
  });

  test('accepted and rejected records are not delivered again', async () => {
    const { topic, group } = await filled(port, 20);
    const isEven = (value: Buffer | null): boolean => Number(value) % 2 === 0;
    const decide = ({ record }: SharedRecord): Acknowledgement =>
      isEven(record.value) ? 'accept' : 'reject';
    const first = await port.share(topic, group, { decide });
    await eventually('all records', () => first.delivered.length === 20);
    await first.close();
    const second = await port.share(topic, group);
    await send(port, topic, 20, 1);
    await eventually('the new record', () => second.values().includes('20'));
    assert.deepEqual(second.values(), ['20']);
  });

  test('a released record is delivered again, to any member, with a higher delivery count', async () => {
    const { topic, group } = await filled(port, 1);
    const first = await port.share(topic, group, {
      decide: ({ deliveries }) => (deliveries < 3 ? 'release' : 'accept'),
    });
    await eventually('three deliveries', () => first.delivered.length === 3);
    assert.deepEqual(first.values(), ['0', '0/2', '0/3']);
  });

  test('a member never holds more records than it has room for, and waits for room', async () => {
    const { topic, group } = await filled(port, 50);
    const member = await port.share(topic, group, { room: 3, decide: hold });
    await eventually('three records', () => member.held.length === 3);
    for (let ended = 0; ended < 47; ended++) {
      const [oldest] = member.held;
      assert.ok(oldest);
      member.end(oldest, 'accept');
      await eventually('the next record', () => member.held.length === 3);
    }
    assert.equal(member.mostHeld, 3);
    assert.deepEqual(sorted([member]), numbers(50));
  });

  test('partitions are divided among the members, and an added member is given records', async () => {
    const topic = await port.createTopic(4);
    const group = `g-${randomUUID()}`;
    const members = [await port.share(topic, group)];
    await eventually('all partitions', () => members[0]?.consumer.assigned.length === 4);
    members.push(await port.share(topic, group));
    await send(port, topic, 0, 200);
    await eventually('all records', () => count(members) === 200);
    assert.deepEqual(sorted(members), numbers(200));
  });

  test('the ends of transactions are no records, and block nothing', async () => {
    const topic = await port.createTopic(1);
    const transactions = await port.transactional(`tx-${randomUUID()}`);
    await transactions.sendWithOffsets([plain(topic, '0'), plain(topic, '1')]);
    await transactions.sendWithOffsets([plain(topic, '2')]);
    const member = await port.share(topic, `g-${randomUUID()}`);
    await eventually('three records', () => member.delivered.length === 3);
    await transactions.sendWithOffsets([plain(topic, '3')]);
    await eventually('the fourth', () => member.delivered.length === 4);
    assert.deepEqual([member.values(), member.lost], [['0', '1', '2', '3'], 0]);
  });

  test('a share consumer of a missing topic fails with the reason', async () => {
    await assert.rejects(port.share('nowhere-at-all', `g-${randomUUID()}`), { kind: 'unknown-topic' });
  });

  test('a recreated topic is read from the beginning by a share group', async () => {
    const { topic, group } = await filled(port, 5);
    const member = await port.share(topic, group);
    await eventually('the old records', () => member.delivered.length === 5);
    await port.admin.deleteTopics([topic]);
    await eventually('the removal', async () => !(await port.admin.listTopics()).includes(topic));
    await port.admin.createTopics([{ topic, partitions: 1, replicationFactor: -1 }]);
    await send(port, topic, 5, 2);
    await eventually('the new records', () => member.values().includes('6'), 60_000);
    assert.deepEqual(member.values().slice(5), ['5', '6']);
  });
}

function testLocks(port: PortUnderTest): void {
  test('what a killed member holds is delivered to another, and counted', async (t) => {
    const { topic, group } = await filled(port, 3);
    const doomed = fork(MEMBER, [port.broker.bootstrap, topic, group]);
    t.after(() => doomed.kill('SIGKILL'));
    await received(doomed, ['0', '1', '2']);
    const heir = await port.share(topic, group);
    doomed.kill('SIGKILL');
    await eventually('all records', () => heir.delivered.length === 3);
    assert.deepEqual(heir.values().sort(), ['0/2', '1/2', '2/2']);
  });

  test('a closing member releases what it holds', async () => {
    const { topic, group } = await filled(port, 3);
    const first = await port.share(topic, group, { decide: hold });
    await eventually('all records', () => first.held.length === 3);
    const [accepted] = first.held;
    assert.ok(accepted);
    first.end(accepted, 'accept');
    await first.close();
    const second = await port.share(topic, group);
    await eventually('the rest', () => second.delivered.length === 2);
    assert.deepEqual(second.values().sort(), ['1/2', '2/2']);
  });

  test('the lock of a record is renewed while it is held, for longer than the lock lasts', async () => {
    const { topic, group } = await filled(port, 2);
    const slow = await port.share(topic, group, { decide: hold });
    await eventually('both records', () => slow.held.length === 2);
    const idle = await port.share(topic, group);
    await new Promise((resolve) => setTimeout(resolve, 3 * LOCK_MS));
    for (const delivered of [...slow.held]) slow.end(delivered, 'accept');
    await slow.close();
    await send(port, topic, 2, 1);
    await eventually('the new record', () => idle.values().includes('2'));
    assert.deepEqual([idle.values(), slow.lost], [['2'], 0]);
  });

  test('a share consumer survives a crash and restart of the broker', async () => {
    const { topic, group } = await filled(port, 1);
    const member = await port.share(topic, group);
    await eventually('the first record', () => member.delivered.length === 1);
    await port.broker.kill();
    await port.broker.restart();
    const sent = (): Promise<boolean> =>
      send(port, topic, 1, 1).then(
        () => true,
        () => false,
      );
    await eventually('the producer is back', sent, 60_000);
    await eventually('the record after the crash', () => member.values().includes('1'), 60_000);
    assert.equal(member.crash, undefined);
  });
}

/** Creates a topic with one partition and this many records. */
async function filled(port: PortUnderTest, records: number): Promise<{ topic: string; group: string }> {
  const topic = await port.createTopic(1);
  await send(port, topic, 0, records);
  return { topic, group: `g-${randomUUID()}` };
}

function send(port: PortUnderTest, topic: string, from: number, records: number): Promise<void> {
  return port.producer.send(
    Array.from({ length: records }, (_, index) => plain(topic, String(from + index))),
  );
}

function count(members: readonly ShareMember[]): number {
  return members.reduce((sum, { delivered }) => sum + delivered.length, 0);
}

function sorted(members: readonly ShareMember[]): string[] {
  return members.flatMap((member) => member.values()).sort((one, other) => Number(one) - Number(other));
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** Resolves once the process has reported all of these values. */
async function received(child: ChildProcess, values: readonly string[]): Promise<void> {
  const missing = new Set(values);
  child.on('message', (value) => missing.delete(value as string));
  await eventually('the records of the process', () => missing.size === 0);
}
