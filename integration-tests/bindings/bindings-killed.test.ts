import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OPTIONS } from '../../core/config/config.js';
import { BoundTopic } from '../support/bound-topic.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { CHOSEN_CLIENT } from '../support/kafka-client.js';

const RECORDS = 3_000;
const PARTITIONS = 4;
const LIMIT_MS = 90_000;
const canTransact = (CHOSEN_CLIENT.kafkaClient ?? OPTIONS.kafkaClient.fallback) === 'native';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['slow'], { sessionTimeoutMs: 6_000, drainTimeoutMs: 5_000 });
});
after(() => harness.close());

const binding = (name: string, exactlyOnce: boolean): object => ({
  name,
  source: { topic: `${name}-in`, format: 'json' },
  model: 'slow',
  inputs: { x: [{ field: 'values', length: 4 }] },
  output: { topic: `${name}-out`, fields: { y: {} } },
  exactlyOnce,
});

/** Returns true for every hundredth record, which cannot be predicted. */
const isBad = (number: number): boolean => number % 100 === 99;

/** Counts the outcomes of each record after one of two nodes was killed during processing. */
async function endsAfterKill(name: string, exactlyOnce: boolean): Promise<number[]> {
  const bound = await BoundTopic.apply(harness, binding(name, exactlyOnce), PARTITIONS);
  const doomed = await harness.nodeProcess({ maxBatchRows: 16 });
  const heir = await harness.nodeProcess({ maxBatchRows: 16 });
  const numbers = Array.from({ length: RECORDS }, (_, number) => number);
  await bound.send(
    numbers.map((number) => ({
      key: Buffer.from(String(number)),
      partition: number % PARTITIONS,
      value: Buffer.from(
        JSON.stringify({ number, values: isBad(number) ? [1] : [number, number / 2, 1, -1] }),
      ),
    })),
  );
  await bound.handled(RECORDS / 10, LIMIT_MS);
  doomed.kill('SIGKILL');
  await doomed.exited;
  assert.ok(
    (await harness.read(`${name}-out`)).length < RECORDS / 2,
    'the node was killed during processing',
  );
  await eventually('all offsets are committed', async () => (await bound.uncommitted()) === 0, LIMIT_MS);
  await bound.handled(RECORDS, LIMIT_MS);
  const ends = Array.from({ length: RECORDS }, () => 0);
  for (const { key, value } of await harness.read(`${name}-out`)) {
    const number = Number(key);
    const { values, y } = JSON.parse(value?.toString() ?? '') as { values: number[]; y: number[] };
    assert.deepEqual(y, values);
    assert.ok(!isBad(number));
    ends[number] = (ends[number] ?? 0) + 1;
  }
  for (const { key } of await bound.deadLetters()) {
    assert.ok(isBad(Number(key)));
    ends[Number(key)] = (ends[Number(key)] ?? 0) + 1;
  }
  await bound.remove();
  await heir.stop();
  return ends;
}

describe('bindings after a node was killed', () => {
  test('lose nothing', async () => {
    const ends = await endsAfterKill('least', false);
    assert.deepEqual(
      ends.filter((count) => count < 1),
      [],
    );
  });

  const skip = canTransact ? false : 'exactlyOnce needs KAFKA_CLIENT=native, and this run uses kafkajs';
  test('with exactlyOnce, produce exactly one outcome per record', { skip }, async () => {
    const ends = await endsAfterKill('exactly', true);
    assert.deepEqual(
      ends.flatMap((count, number) => (count === 1 ? [] : [[number, count]])),
      [],
    );
  });

  test('refuse exactlyOnce on kafkajs, whose transactions do not check partition ownership', async () => {
    const node = await harness.node({ kafkaClient: 'kafkajs', kafkaGroupProtocol: 'classic' });
    const bound = await BoundTopic.apply(harness, binding('refused', true));
    await bound.reports(node, 'FAILED', /exactlyOnce: expected nodes with KAFKA_CLIENT=native, got kafkajs/);
  });
});
