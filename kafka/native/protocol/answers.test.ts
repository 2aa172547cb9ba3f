import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { test } from 'node:test';
import { heartbeatV4, Writer } from '@platformatic/kafka';
import { ByteReader } from '../../record-batches/byte-reader.js';
import { Connections } from '../transport/connections.js';
import { fetchRequest } from './fetch.js';
import { produceRequest } from './produce.js';

/** Writes one tagged field with number 0, as brokers do in responses that name a new leader. */
const tagged = (writer: Writer, content: Buffer): Writer =>
  writer.appendUnsignedVarInt(1).appendUnsignedVarInt(0).appendUnsignedVarInt(content.length).append(content);

const UNREACHED = Buffer.alloc(300);

/** Request parameters are irrelevant here: only responses are read. */
const ANY_FETCH = {
  topicId: '',
  positions: [],
  minBytes: 1,
  maxWaitMs: 1,
  maxBytes: 1,
  maxBytesPerPartition: 1,
};

test('a fetch response is read, including the fields that newer brokers add', () => {
  const answer = Writer.create().appendInt32(0).appendInt16(0).appendInt32(0);
  answer.appendUnsignedVarInt(2).append(Buffer.alloc(16, 1)).appendUnsignedVarInt(3);
  for (const [partition, error] of [
    [4, 6],
    [5, 0],
  ] as const) {
    answer.appendInt32(partition).appendInt16(error).appendInt64(100n).appendInt64(99n).appendInt64(0n);
    answer.appendUnsignedVarInt(2).appendInt64(12n).appendInt64(90n).appendTaggedFields();
    answer.appendInt32(-1).appendUnsignedVarInt(4).append(Buffer.from('abc'));
    tagged(answer, UNREACHED);
  }
  answer.appendTaggedFields().appendTaggedFields();
  const fetched = fetchRequest(ANY_FETCH).read(new ByteReader(answer.buffer));
  assert.deepEqual(
    fetched.map(({ partition, error, highWatermark, aborted, batches }) => [
      partition,
      error,
      highWatermark,
      aborted,
      String(batches),
    ]),
    [
      [4, 'NOT_LEADER_OR_FOLLOWER', 100, [{ producerId: 12, firstOffset: 90 }], 'abc'],
      [5, undefined, 100, [{ producerId: 12, firstOffset: 90 }], 'abc'],
    ],
  );
});

test('a response that refuses the whole fetch is an error', () => {
  const answer = Writer.create().appendInt32(0).appendInt16(71).appendInt32(0).appendUnsignedVarInt(1);
  assert.throws(
    () => fetchRequest(ANY_FETCH).read(new ByteReader(answer.buffer)),
    /INVALID_FETCH_SESSION_EPOCH/,
  );
});

test('a produce response is read for each partition', () => {
  const answer = Writer.create().appendUnsignedVarInt(2).appendString('t').appendUnsignedVarInt(3);
  for (const [partition, error, detail] of [
    [0, 0, null],
    [7, 10, 'too long'],
  ] as const) {
    answer.appendInt32(partition).appendInt16(error).appendInt64(5n).appendInt64(-1n).appendInt64(0n);
    answer.appendUnsignedVarInt(2).appendInt32(3).appendString('record 3').appendTaggedFields();
    answer.appendString(detail);
    tagged(answer, UNREACHED);
  }
  answer.appendTaggedFields().appendInt32(0).appendTaggedFields();
  assert.deepEqual(produceRequest([], 1, null).read(new ByteReader(answer.buffer)), [
    { topic: 't', partition: 0, error: undefined, detail: null },
    { topic: 't', partition: 7, error: 'MESSAGE_TOO_LARGE', detail: 'too long' },
  ]);
});

/** Starts a broker that answers the first request of its first connection late, and everything else at once. */
async function slowBroker(lateMs: number): Promise<{ server: Server; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    let late = connections++ === 0;
    socket.on('error', () => undefined);
    socket.on('data', (request) => {
      const answer = Writer.create().append(request.subarray(8, 12)).appendTaggedFields();
      answer.appendInt32(0).appendInt16(0).appendTaggedFields().prependLength();
      setTimeout(() => socket.write(answer.buffer), late ? lateMs : 0);
      late = false;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, connections: () => connections };
}

test('a request that times out fails, and the next one uses another connection', async () => {
  const { server, connections } = await slowBroker(60);
  const { port } = server.address() as AddressInfo;
  const to = new Connections({ clientId: 'test', connectTimeout: 1_000 });
  const beat = (limitMs: number): Promise<{ errorCode: number }> =>
    to.request({ host: '127.0.0.1', port }, heartbeatV4.api, ['g', 1, 'm', null], limitMs);
  try {
    await assert.rejects(beat(30), { kind: 'unavailable', message: /did not answer within 30 ms/ });
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal((await beat(5_000)).errorCode, 0);
    assert.equal((await beat(5_000)).errorCode, 0);
    assert.equal(connections(), 2);
  } finally {
    to.close();
    server.close();
  }
  await assert.rejects(beat(1_000), { kind: 'unavailable' });
});

test('a broker that cannot be reached is unavailable', async () => {
  const to = new Connections({ clientId: 'test', connectTimeout: 1_000 });
  await assert.rejects(to.to({ host: '127.0.0.1', port: 1 }), {
    kind: 'unavailable',
    message: /ECONNREFUSED/,
  });
  to.close();
});
