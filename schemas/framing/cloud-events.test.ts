import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InferenceReply } from '../generated.js';
import { binaryCloudEvent, structuredCloudEvent } from './cloud-events.js';
import type { RecordHeaders } from './framing.js';

const BODY = { inputs: [{ name: 'x', datatype: 'INT64', shape: [1, 1], data: [1] }] };
const ATTRIBUTES = { specversion: '1.0', id: 'e-1', source: '/orders', type: 'io.kserve.inference.request' };
const NO_KEY = { key: null };

function headersOf(attributes: Record<string, string>): RecordHeaders {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [`ce_${name}`, Buffer.from(value)]),
  );
}

const reply: InferenceReply = {
  id: 'e-1',
  model: 'm',
  modelVersion: '3',
  outputs: [{ name: 'y', datatype: 'INT64', shape: [1], data: bigInt(2n ** 62n) }],
  error: null,
  node: 'n',
  timing: null,
};

function bigInt(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

const structured = (event: object): Buffer => Buffer.from(JSON.stringify(event));
const read = (event: object): ReturnType<typeof structuredCloudEvent.decodeRequest> =>
  structuredCloudEvent.decodeRequest(structured(event), 'm', { ...NO_KEY, headers: {} });

test('a structured event is read, with data as JSON or base64, and its id becomes the request id', () => {
  const encoded = Buffer.from(JSON.stringify(BODY)).toString('base64');
  for (const event of [
    { ...ATTRIBUTES, data: BODY },
    { ...ATTRIBUTES, datacontenttype: 'application/json', data_base64: encoded },
  ]) {
    const { id, model, inputs } = read(event);
    assert.deepEqual([id, model, inputs[0]?.data], ['e-1', 'm', bigInt(1n)]);
  }
  assert.equal(read({ ...ATTRIBUTES, data: { ...BODY, id: 'own' } }).id, 'own');
});

test('64-bit integers in event data keep their digits', () => {
  const event = structured({ ...ATTRIBUTES, data: BODY })
    .toString()
    .replace('[1]}', '[4611686018427387905]}');
  const request = structuredCloudEvent.decodeRequest(Buffer.from(event), 'm', { ...NO_KEY, headers: {} });
  assert.deepEqual(request.inputs[0]?.data, bigInt(2n ** 62n + 1n));
});

test('a structured event is answered with a structured event', () => {
  const text = structuredCloudEvent.encodeReply(reply).toString();
  assert.match(text, /"data":\[4611686018427387904\]/);
  const { data, ...attributes } = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(attributes, {
    specversion: '1.0',
    id: 'e-1',
    source: '/partitura/models/m',
    type: 'io.kserve.inference.response',
    datacontenttype: 'application/json',
  });
  assert.deepEqual(Object.keys(data as object), ['model_name', 'model_version', 'id', 'outputs']);
});

test('a binary event is read by its headers and answered with a binary event', () => {
  const headers = { ...headersOf(ATTRIBUTES), 'content-type': Buffer.from('application/json') };
  const request = binaryCloudEvent.decodeRequest(structured(BODY), 'm', { ...NO_KEY, headers });
  assert.deepEqual([request.id, request.inputs[0]?.name], ['e-1', 'x']);
  assert.deepEqual(
    { ...binaryCloudEvent.headers, ...binaryCloudEvent.headersOf?.(reply) },
    {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: 'e-1',
      ce_source: '/partitura/models/m',
      ce_type: 'io.kserve.inference.response',
      'partitura-node': 'n',
    },
  );
  assert.match(binaryCloudEvent.encodeReply(reply).toString(), /^\{"model_name":"m"/);
});

test('an incomplete event is refused, naming the missing attribute', () => {
  const { source: _, ...withoutSource } = ATTRIBUTES;
  const cases: [object, string, RegExp][] = [
    [{ ...withoutSource, data: BODY }, 'INVALID_REQUEST', /expected the attribute 'source', got none/],
    [{ ...ATTRIBUTES, specversion: '0.3', data: BODY }, 'INVALID_REQUEST', /specversion 1.0, got '0.3'/],
    [ATTRIBUTES, 'INVALID_REQUEST', /data: expected an object, got nothing/],
    [
      { ...ATTRIBUTES, datacontenttype: 'text/xml', data: 'x' },
      'DECODE_FAILED',
      /application\/json, got 'text\/xml'/,
    ],
    [{ ...ATTRIBUTES, data_base64: 'AAAA' }, 'DECODE_FAILED', /JSON|UTF-8|token/],
  ];
  for (const [event, code, message] of cases) assert.throws(() => read(event), { code, message });
});
