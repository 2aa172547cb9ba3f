import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addPartitionsToTxnV3,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV4,
  metadataV11,
  ResponseError,
} from '@platformatic/kafka';
import { fakeCluster, fakeMetadata } from '../../testing/native-kafka.js';
import { NativeTransactionalProducer } from './transactional-producer.js';

const record = { topic: 't', key: null, value: Buffer.from('x'), headers: {} };
const ADD_PARTITIONS = 24;
const FENCED = new ResponseError(ADD_PARTITIONS, 3, { '/': [90, null] }, {});

/** Creates a producer whose leader answers produce requests with these errors, in order. */
function transactional(
  errors: (string | undefined)[],
  announce: () => unknown = () => ({}),
): { producer: NativeTransactionalProducer; ends: boolean[]; epochs: () => number } {
  const ends: boolean[] = [];
  let epoch = 0;
  const cluster = fakeCluster({
    answer: (api, args) => {
      if (api === metadataV11.api) return fakeMetadata({ t: [1] });
      if (api === findCoordinatorV4.api) return { coordinators: [{ host: 'fake', port: 1 }] };
      if (api === initProducerIdV4.api) return { producerId: 1n, producerEpoch: epoch++ };
      if (api === addPartitionsToTxnV3.api) return announce();
      assert.equal(api, endTxnV3.api);
      return void ends.push(args[3] as boolean);
    },
    send: () => [{ topic: 't', partition: 0, error: errors.shift(), detail: null }],
  });
  return { producer: new NativeTransactionalProducer(cluster, 'id'), ends, epochs: () => epoch };
}

test('a transaction refused by a leader is aborted, and the next one succeeds', async () => {
  for (const name of ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH']) {
    const { producer, ends, epochs } = transactional([name, undefined]);
    await assert.rejects(producer.sendWithOffsets([record]), { kind: 'fenced' });
    await producer.sendWithOffsets([record]);
    assert.deepEqual([ends, epochs()], [[false, true], 2], name);
  }
});

test('a producer fenced by the coordinator stays fenced', async () => {
  let announced = 0;
  const { producer, ends } = transactional([], () => {
    announced++;
    throw FENCED;
  });
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(producer.sendWithOffsets([record]), { kind: 'fenced' });
  assert.deepEqual([announced, ends], [1, []]);
});
