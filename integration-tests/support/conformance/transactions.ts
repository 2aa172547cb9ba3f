import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { KafkaError } from '../../../kafka/port.js';
import { eventually } from '../eventually.js';
import { plain, type PortUnderTest } from './port-under-test.js';

/** Tests atomicity of records and offsets, and fencing. */
export function testTransactions(port: PortUnderTest): void {
  const { modernGroups } = port.abilities;

  test('a transaction commits its records and group offsets atomically', async () => {
    const [input, output] = [await port.createTopic(1), await port.createTopic(2)];
    const group = `g-${randomUUID()}`;
    await port.producer.send([plain(input, 'a'), plain(input, 'b')]);
    const source = await port.consume({ topic: input, group });
    await eventually('the input', () => source.records.length === 2);
    const transactions = await port.transactional(`tx-${randomUUID()}`);
    const member = source.consumer.membership();
    for (const [index, value] of ['A', 'B'].entries())
      await transactions.sendWithOffsets([{ ...plain(output, value), partition: index }], {
        member,
        positions: [{ topic: input, partition: 0, offset: index + 1, metadata: `after ${value}` }],
      });
    const reader = await port.consume({ topic: output });
    await eventually('the output', () => reader.records.length === 2);
    assert.deepEqual(reader.values().sort(), ['A', 'B']);
    assert.deepEqual(await port.admin.committed(group, input), [
      { partition: 0, offset: 2, metadata: 'after B' },
    ]);
  });

  test('a failed transaction exposes no records and leaves the group offsets unchanged', async () => {
    const input = await port.createTopic(1);
    const [output, small] = [
      await port.createTopic(1),
      await port.createTopic(1, { 'max.message.bytes': '10000' }),
    ];
    const group = `g-${randomUUID()}`;
    const source = await port.consume({ topic: input, group });
    const transactions = await port.transactional(`tx-${randomUUID()}`);
    const offsets = {
      member: source.consumer.membership(),
      positions: [{ topic: input, partition: 0, offset: 7 }],
    };
    await assert.rejects(
      transactions.sendWithOffsets([plain(output, 'unseen'), plain(small, 'x'.repeat(20_000))], offsets),
      (error: KafkaError) => error.kind === 'too-large',
    );
    await transactions.sendWithOffsets([plain(output, 'seen')]);
    const reader = await port.consume({ topic: output });
    await eventually('the committed record', () => reader.values().includes('seen'));
    assert.deepEqual(reader.values(), ['seen']);
    assert.deepEqual(await port.admin.committed(group, input), [{ partition: 0, offset: -1, metadata: '' }]);
  });

  test('a later producer with the same transactional id fences the former', async () => {
    const output = await port.createTopic(1);
    const id = `tx-${randomUUID()}`;
    const zombie = await port.transactional(id);
    await zombie.sendWithOffsets([plain(output, 'before')]);
    const successor = await port.transactional(id);
    await successor.sendWithOffsets([plain(output, 'successor')]);
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(
        zombie.sendWithOffsets([plain(output, 'zombie')]),
        (error: KafkaError) => error.kind === 'fenced',
      );
    await successor.sendWithOffsets([plain(output, 'successor again')]);
    const reader = await port.consume({ topic: output });
    await eventually('the last record', () => reader.values().includes('successor again'));
    assert.deepEqual(reader.values(), ['before', 'successor', 'successor again']);
  });

  test('a member that is no longer in its group commits nothing, not even in a transaction', async (t) => {
    if (!modernGroups) return t.skip('this client does not identify its member');
    const [input, output] = [await port.createTopic(1), await port.createTopic(1)];
    const group = `g-${randomUUID()}`;
    const first = await port.consume({ topic: input, group });
    const stale = first.consumer.membership();
    await port.consume({ topic: input, group });
    const transactions = await port.transactional(`tx-${randomUUID()}`);
    await assert.rejects(
      transactions.sendWithOffsets([plain(output, 'stale')], {
        member: stale,
        positions: [{ topic: input, partition: 0, offset: 1 }],
      }),
      (error: KafkaError) => error.kind === 'rebalanced',
    );
    assert.deepEqual(await port.admin.committed(group, input), [{ partition: 0, offset: -1, metadata: '' }]);
  });
}
