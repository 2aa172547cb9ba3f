import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { murmur2, partitionOfKey } from '../key-partition.js';
import { ledPartitions, StickyPartitioner } from './sticky-partitioner.js';

test("keys are hashed as in Kafka's own tests", () => {
  const known: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ];
  for (const [key, hash] of known) assert.equal(murmur2(Buffer.from(key)), hash, key);
});

test('keys of any length and content are partitioned as by kafkajs', () => {
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  for (let length = 0; length < 40; length++) {
    const key = Buffer.from(Array.from({ length }, (_, at) => (at * 83 + length * 151) & 0xff));
    const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({ partitionId, leader: 1 }));
    const expected = choose({ topic: 't', partitionMetadata, message: { key, value: null } } as never);
    assert.equal(partitionOfKey(key, 7), expected, `length ${length}`);
  }
});

test('records without a key are spread evenly over partitions, in runs', () => {
  const spread = new StickyPartitioner();
  const counts = [0, 0, 0, 0];
  for (let index = 0; index < 640; index++) {
    const partition = spread.partition(4);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  assert.deepEqual(counts, [160, 160, 160, 160]);
  const first = spread.partition(4);
  assert.equal(spread.partition(4), first);
  spread.nextBatch();
  assert.notEqual(spread.partition(4), first);
});

test('partitions without a leader are skipped, unless none has one', () => {
  assert.deepEqual(ledPartitions([1, undefined, 2]), [0, 2]);
  assert.deepEqual(ledPartitions([undefined, undefined]), [0, 1]);
});
