import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  KafkaError,
  type GroupOffsets,
  type KafkaErrorKind,
  type OutgoingRecord,
  type TransactionalProducer,
} from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import type { PartitionLease } from '../records/record-handler.js';
import { exampleRecord, settle } from '../../testing/records.js';
import type { BoundOutcome } from './bound-records.js';
import { TransactionalPublisher } from './transactional-publisher.js';

interface Transaction {
  readonly values: (string | undefined)[];
  readonly topics: string[];
  readonly positions: GroupOffsets['positions'];
  readonly generation: number | undefined;
}

/** Takes transactions, but those that the test has it refuse. */
class FakeTransactions implements TransactionalProducer {
  readonly taken: Transaction[] = [];
  /** The kind of error of those that have such a record. */
  refuses: (record: OutgoingRecord) => KafkaErrorKind | undefined = () => undefined;
  isClosed = false;

  connect(): Promise<void> {
    return Promise.resolve();
  }

  sendWithOffsets(records: readonly OutgoingRecord[], offsets?: GroupOffsets): Promise<void> {
    const kind = records.map(this.refuses).find((found) => found !== undefined);
    if (kind) return Promise.reject(new KafkaError(kind, kind));
    this.taken.push({
      values: records.map(({ value }) => value?.toString()),
      topics: records.map(({ topic }) => topic),
      positions: offsets?.positions ?? [],
      generation: offsets?.member.generation,
    });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function publishing() {
  const producer = new FakeTransactions();
  const stopped: Error[] = [];
  const dead: string[] = [];
  const acknowledged: number[] = [];
  const publisher = new TransactionalPublisher(producer, {
    deadLetterTopic: 'dlt',
    deadLetterHeaders: 'connect',
    onStopped: (error) => stopped.push(error),
    onDeadLetter: (_record, { code }) => dead.push(code),
  });
  const publish = (outcome: BoundOutcome, claim: PartitionLease = claimOf(1)): void =>
    publisher.publish(outcome, () => acknowledged.push(outcome.record.offset), claim);
  return { producer, publisher, stopped, dead, acknowledged, publish };
}

const claimOf = (generation: number): PartitionLease & { revoked: boolean } => ({
  revoked: false,
  member: { group: 'g', memberId: 'm', generation },
  markOf: (position) => `mark ${position}`,
});

function result(offset: number, partition = 0): BoundOutcome {
  const record = exampleRecord({ topic: 'in', partition, offset });
  return {
    kind: 'result',
    record,
    result: { topic: 'out', key: null, value: Buffer.from(`r${offset}`), headers: {} },
  };
}

test('outcomes that arrive together go in one transaction, with their positions', async () => {
  const { producer, acknowledged, publish } = publishing();
  for (const offset of [4, 5]) publish(result(offset));
  publish(result(9, 1));
  await settle();
  assert.deepEqual(producer.taken, [
    {
      values: ['r4', 'r5', 'r9'],
      topics: ['out', 'out', 'out'],
      positions: [
        { topic: 'in', partition: 0, offset: 6, metadata: 'mark 6' },
        { topic: 'in', partition: 1, offset: 10, metadata: 'mark 10' },
      ],
      generation: 1,
    },
  ]);
  assert.deepEqual(acknowledged, [4, 5, 9]);
});

test('leases of different generations are never in one transaction, and revoked ones are not sent', async () => {
  const { producer, acknowledged, publish } = publishing();
  publish(result(1), { ...claimOf(1), revoked: true });
  publish(result(2), claimOf(1));
  publish(result(3), claimOf(2));
  await settle();
  assert.deepEqual(
    producer.taken.map(({ values, generation }) => [values, generation]),
    [
      [['r2'], 1],
      [['r3'], 2],
    ],
  );
  assert.deepEqual(acknowledged, [1, 2, 3]);
});

test('after a rebalance nothing is sent again and the binding does not stop', async () => {
  const { producer, acknowledged, stopped, publish } = publishing();
  producer.refuses = () => 'rebalanced';
  publish(result(1));
  await settle();
  producer.refuses = () => undefined;
  publish(result(1), claimOf(2));
  await settle();
  assert.deepEqual(
    producer.taken.map(({ generation }) => generation),
    [2],
  );
  assert.deepEqual([acknowledged, stopped], [[1, 1], []]);
});

test('a result that is too large becomes a dead letter; the others are sent', async () => {
  const { producer, dead, acknowledged, publish } = publishing();
  producer.refuses = ({ value, compress }) =>
    value?.toString() === 'r2' || (value?.toString() === 'value' && !compress) ? 'too-large' : undefined;
  for (const offset of [1, 2, 3]) publish(result(offset));
  await settle();
  assert.deepEqual(
    producer.taken.flatMap(({ topics }) => topics),
    ['out', 'dlt', 'out'],
  );
  assert.deepEqual([acknowledged, dead], [[1, 2, 3], ['REPLY_TOO_LARGE']]);
});

test('a dead letter is reported once the broker has it', async () => {
  const { dead, publish } = publishing();
  const error = new PartituraError('INVALID_REQUEST', 'x');
  publish({ kind: 'dead-letter', record: exampleRecord(), stage: 'validate', error });
  assert.deepEqual(dead, []);
  await settle();
  assert.deepEqual(dead, ['INVALID_REQUEST']);
});

test('a result that its topic refuses becomes a dead letter with the reason', async () => {
  const { producer, dead, acknowledged, publish } = publishing();
  producer.refuses = ({ value }) => (value?.toString() === 'r2' ? 'refused' : undefined);
  for (const offset of [1, 2, 3]) publish(result(offset));
  await settle();
  assert.deepEqual(
    producer.taken.flatMap(({ topics }) => topics),
    ['out', 'dlt', 'out'],
  );
  assert.deepEqual([acknowledged, dead], [[1, 2, 3], ['INTERNAL']]);
});

test('an interrupted transaction stops the binding and is not sent again', async () => {
  for (const kind of ['unavailable', 'fenced', 'other'] as const) {
    const { producer, publisher, stopped, acknowledged, publish } = publishing();
    producer.refuses = () => kind;
    publish(result(1));
    await settle();
    assert.deepEqual([(stopped[0] as KafkaError).kind, acknowledged, producer.taken], [kind, [], []]);
    await publisher.close();
    assert.equal(producer.isClosed, true);
  }
});

test('a result whose dead letters are refused, too, stops the binding', async () => {
  const { producer, stopped, acknowledged, publish } = publishing();
  let sends = 0;
  producer.refuses = () => (++sends > 100 ? undefined : 'refused');
  publish(result(1));
  for (let turn = 0; turn < 20 && stopped.length === 0; turn++) await settle();
  assert.equal(stopped.length, 1);
  assert.deepEqual(acknowledged, []);
  assert.equal(sends, 4);
});
