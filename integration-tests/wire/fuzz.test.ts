import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { OutgoingRecord } from '../../kafka/port.js';
import { correlationOf, replyTo } from '../../schemas/headers/reply-dialects.js';
import { requestCodec } from '../../schemas/codecs.js';
import { headerBytes, type RecordHeaders } from '../../schemas/framing/framing.js';
import { decodeReply, encodeRequest } from '../../schemas/framing/single-object.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../schemas/registry/self-contained.js';
import { TestRegistry } from '../../testing/registry.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { seededRandom, mutate } from '../support/mutate.js';
import { floats, valuesOf } from '../support/raw-client.js';

const SEED = Number(process.env['PARTITURA_TEST_SEED'] ?? 20_261_124);
/** `npm run test:long -- fuzz` sends 100,000 of each. */
const MUTATED_PER_FRAMING = Number(process.env['PARTITURA_TEST_FUZZ'] ?? 5_000);
/** One good record follows this many mutated ones. */
const GOOD_EVERY = 50;
/** Most schema ids are kept: a random one only causes another registry lookup. */
const LABEL_DAMAGED_EVERY = 10;
const PER_SEND = 2_500;
const LIMIT_MS = 600_000;

const VALUES = [1, 2, 3, 4];
const BODY = { id: 'f', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: VALUES }] };
const EVENT = { specversion: '1.0', id: 'f', source: '/fuzz', type: 'io.kserve.inference.request' };
const json = (body: object): Buffer => Buffer.from(JSON.stringify(body));
const texts = (headers: Record<string, string>): RecordHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));

const request = {
  id: 'f',
  model: 'scale',
  modelVersion: null,
  inputs: [floats('x', [1, 4], VALUES)],
  outputs: [],
  parameters: { a: 'b' },
  deadline: null,
};
const good = encodeRequest(request);

/** The request and reply schemas of the registry, by id and GUID. */
const REQUEST_KEYS = { id: 7, guid: '89791762-2336-4186-9674-299b90a802e2' };
const REPLY_KEYS = { id: 8, guid: 'fedcba98-7654-3210-fedc-ba9876543210' };
const ID_LABEL = Buffer.from([0, 0, 0, 0, REQUEST_KEYS.id]);
const GUID_LABEL = Buffer.from(`01${REQUEST_KEYS.guid.replaceAll('-', '')}`, 'hex');

interface Sample {
  readonly value: Buffer;
  readonly headers: RecordHeaders;
  /** Length of the schema id prefix, in bytes. */
  readonly labelBytes?: number;
}

/** A good record in each framing, to be mutated. */
const FRAMINGS: Readonly<Record<string, Sample>> = {
  'single-object': { value: good, headers: {} },
  'confluent id': { value: requestCodec.encode(request, ID_LABEL), headers: {}, labelBytes: ID_LABEL.length },
  'confluent guid': {
    value: requestCodec.encode(request, Buffer.alloc(0)),
    headers: { __value_schema_id: GUID_LABEL },
  },
  'oip-json': { value: json(BODY), headers: texts({ 'content-type': 'application/json' }) },
  'cloudevents structured': {
    value: json({ ...EVENT, data: BODY }),
    headers: texts({ 'content-type': 'application/cloudevents+json' }),
  },
  'cloudevents binary': {
    value: json(BODY),
    headers: texts(Object.fromEntries(Object.entries(EVENT).map(([name, value]) => [`ce_${name}`, value]))),
  },
  'mlserver json': {
    value: json(BODY),
    headers: texts({ 'mlserver-model': 'scale', 'mlserver-version': '2' }),
  },
};
const NAMES = Object.keys(FRAMINGS);

let harness: Harness;
let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  const subject = 'partitura.scale.replies-value';
  registry.has(REQUEST_KEYS.id, REQUEST_SCHEMA as object);
  registry.has(REQUEST_KEYS.guid, REQUEST_SCHEMA as object);
  registry.tell('GET', '/schemas/types', ['AVRO']);
  registry.tell('POST', `/subjects/${subject}`, {
    subject,
    version: 1,
    ...REPLY_KEYS,
    schema: JSON.stringify(REPLY_SCHEMA),
  });
  harness = await Harness.start(['scale'], { schemaRegistryUrl: registry.url });
});
after(async () => {
  await harness.close();
  await registry.close();
});

test(`of ${NAMES.length * MUTATED_PER_FRAMING} mutated records (seed ${SEED}) none is lost or blocks a good one`, async () => {
  await harness.node();
  const sent = await sendAll();
  await eventually(
    'all offsets are committed',
    async () => (await harness.uncommitted('scale')) === 0,
    LIMIT_MS,
  );

  const answered = new Map<string, Buffer>();
  for (const { headers, value } of await harness.read(harness.topics.replies('scale')))
    if (value) answered.set(correlationOf(headers) ?? '', value);
  const dead = new Map<string, Buffer>();
  for (const { headers, value } of await harness.deadLetters('scale'))
    dead.set(correlationOf(headers) ?? '', value ?? Buffer.alloc(0));

  for (const [id, value] of sent.mutated) {
    const letter = dead.get(id);
    if (letter) assert.ok(letter.equals(value), `${id}: the dead letter has the original bytes`);
    assert.ok(
      letter ?? answered.get(id),
      `${id} was neither answered nor dead-lettered: ${value.toString('hex')}`,
    );
  }
  for (const name of NAMES) {
    const id = `whole ${name}`;
    assert.ok(answered.has(id) && !dead.has(id), `${id} is a good record and must be answered`);
  }
  for (const id of sent.good) {
    const reply = decodeReply(answered.get(id) ?? Buffer.alloc(0));
    assert.deepEqual(valuesOf(reply.outputs[0]), [2, 4, 6, 8], id);
  }
});

interface Sent {
  readonly mutated: ReadonlyMap<string, Buffer>;
  readonly good: readonly string[];
}

async function sendAll(): Promise<Sent> {
  const random = seededRandom(SEED);
  const mutated = new Map<string, Buffer>();
  const fine: string[] = [];
  let records: OutgoingRecord[] = [];
  const producer = harness.kafka.producer();
  await producer.connect();
  const send = async (id: string, value: Buffer, headers: RecordHeaders): Promise<void> => {
    records.push(recordOf(id, value, headers, random(4)));
    if (records.length < PER_SEND) return;
    await producer.send(records);
    records = [];
  };
  for (const name of NAMES) {
    const { value, headers } = sampleOf(name);
    await send(`whole ${name}`, value, headers);
  }
  for (let number = 0; number < MUTATED_PER_FRAMING; number++) {
    for (const name of NAMES) {
      const id = `${name} ${number}`;
      const { value, headers } = damaged(sampleOf(name), random);
      mutated.set(id, value);
      await send(id, value, headers);
      if (mutated.size % GOOD_EVERY !== 0) continue;
      fine.push(`good ${id}`);
      await send(`good ${id}`, good, {});
    }
  }
  await producer.send(records);
  await producer.close();
  return { mutated, good: fine };
}

function recordOf(id: string, value: Buffer, headers: RecordHeaders, partition: number): OutgoingRecord {
  const asked = replyTo(harness.topics.replies('scale'), partition, id);
  return {
    topic: harness.topics.requests('scale'),
    partition,
    key: Buffer.from(id),
    value,
    headers: { ...headers, ...asked },
  };
}

function sampleOf(name: string): Sample {
  const sample = FRAMINGS[name];
  assert.ok(sample);
  return sample;
}

/** Mutates the value, and every fourth time the headers. */
function damaged({ value, headers, labelBytes = 0 }: Sample, random: (below: number) => number): Sample {
  const kept = random(LABEL_DAMAGED_EVERY) === 0 ? 0 : labelBytes;
  const bytes = Buffer.concat([value.subarray(0, kept), mutate(value.subarray(kept), random)]);
  return { value: bytes, headers: random(4) === 0 ? damagedHeaders(headers, random) : headers };
}

function damagedHeaders(headers: RecordHeaders, random: (below: number) => number): RecordHeaders {
  return Object.fromEntries(
    Object.keys(headers).map((name) => [name, mutate(headerBytes(headers, name) ?? Buffer.alloc(0), random)]),
  );
}
