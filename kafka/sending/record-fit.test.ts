import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { KafkaError, type OutgoingRecord } from '../port.js';
import { RecordFit } from './record-fit.js';

const MIB = 1024 * 1024;

function fitOn(topicBytes: number | undefined, requestBytes: number | undefined) {
  const asked: string[] = [];
  const state = { time: 0 };
  const settings = (name: string, value: number | undefined): Promise<ReadonlyMap<string, string>> => {
    asked.push(name);
    if (value === undefined) return Promise.reject(new KafkaError('not-authorized', name));
    return Promise.resolve(new Map([[name, String(value)]]));
  };
  const admin = {
    topicSettings: () => settings('max.message.bytes', topicBytes),
    brokerSettings: () => settings('socket.request.max.bytes', requestBytes),
  };
  return { fit: new RecordFit(admin, () => state.time), asked, state };
}

const record = (value: Buffer, compress = false): OutgoingRecord => ({
  topic: 't',
  key: null,
  value,
  headers: {},
  compress,
});

test('a record that fits everywhere needs no query', () => {
  const { fit, asked } = fitOn(1, 1);
  assert.equal(fit.check(record(Buffer.alloc(800_000))), undefined);
  assert.deepEqual(asked, []);
});

test('a record over the limit of its topic, or of a request, is too large; settings are queried once a minute', async () => {
  for (const [topicBytes, requestBytes] of [
    [2 * MIB, 8 * MIB],
    [8 * MIB, 2 * MIB],
  ]) {
    const { fit, asked, state } = fitOn(topicBytes, requestBytes);
    await assert.rejects(fit.check(record(Buffer.alloc(3 * MIB)))!, {
      kind: 'too-large',
      message: /2097152/,
    });
    await fit.check(record(Buffer.alloc(MIB)));
    assert.equal(asked.length, 2);
    state.time = 60_000;
    await fit.check(record(Buffer.alloc(MIB)));
    assert.equal(asked.length, 4);
  }
});

test('a compressed record counts with its compressed size', async () => {
  const { fit } = fitOn(2 * MIB, 100 * MIB);
  await fit.check(record(Buffer.alloc(20 * MIB), true));
  await assert.rejects(fit.check(record(randomBytes(3 * MIB), true))!, { kind: 'too-large' });
});

test("without permission to read settings, the topic limit is left to the broker and requests get Kafka's default limit", async () => {
  const { fit } = fitOn(undefined, undefined);
  await fit.check(record(Buffer.alloc(50 * MIB)));
  await assert.rejects(fit.check(record(Buffer.alloc(101 * MIB)))!, { kind: 'too-large' });
});
