import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inflateRawSync, deflateRawSync } from 'node:zlib';
import type { Schema } from 'avsc';
import type { InferenceNode } from '../../consumers/node/node.js';
import { Outbox } from '../../kafka/sending/outbox.js';
import { readNodes } from '../../cluster/node-directory.js';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { headerBytes } from '../../schemas/framing/framing.js';
import { NodeStatusSchema } from '../../schemas/generated.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';

const HEADER = 'avro.schema';
const HEADER_BYTES = 10;
const fields: readonly { readonly name: string }[] = NodeStatusSchema.fields;
/** Codec of a program of another version, with one more field and one fewer. */
const other = new AvroCodec<Record<string, unknown>>({
  ...NodeStatusSchema,
  fields: [
    ...fields.filter(({ name }) => name !== 'capacityRequests'),
    { name: 'zone', type: 'string', default: 'none' },
  ],
} as unknown as Schema);

let harness: Harness;
let node: InferenceNode;
before(async () => {
  harness = await Harness.start(['scale-onnx']);
  node = await harness.node({ nodeId: 'ours' });
});
after(() => harness.close());

test('a node of another version is listed', async () => {
  const producer = harness.kafka.producer();
  await producer.connect();
  const outbox = new Outbox(producer);
  const status = { ...node.status(), node: 'theirs', zone: 'a' };
  const prefix = Buffer.concat([Buffer.from('c301', 'hex'), other.fingerprint]);
  const headers = { [HEADER]: deflateRawSync(other.canonicalSchema) };
  const record = {
    topic: harness.topics.nodes,
    key: Buffer.from('theirs'),
    value: other.encode(status, prefix),
  };
  await new Promise<void>((resolve, reject) =>
    outbox.push({ ...record, headers }, { delivered: resolve, failed: reject }),
  );
  await producer.close();
  const nodes = await readNodes(harness.kafka, harness.config(), Date.now());
  const listed = nodes.map(({ node: name, models, capacityRequests }) => [
    name,
    models.length,
    capacityRequests,
  ]);
  assert.deepEqual(listed, [
    ['ours', 1, node.status().capacityRequests],
    ['theirs', 1, 0],
  ]);
});

test('a program of another version reads the status of our node with the schema in its record', async () => {
  await eventually('a status of our node when it is ready', async () => {
    const records = await harness.read(harness.topics.nodes);
    const record = records.filter(({ key }) => key?.toString() === 'ours').at(-1);
    const packed = headerBytes(record?.headers ?? {}, HEADER);
    if (!record?.value || !packed) return false;
    const reader = other.readerFor(JSON.parse(inflateRawSync(packed).toString()) as Schema);
    assert.deepEqual(record.value.subarray(2, HEADER_BYTES), reader.fingerprint);
    const { node: name, state, zone } = other.decode(record.value, HEADER_BYTES, reader);
    assert.deepEqual([name, zone], ['ours', 'none']);
    return state === 'READY';
  });
});
