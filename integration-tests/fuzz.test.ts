import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { OutgoingRecord } from '../core/kafka/port.js';
import { correlationOf, replyTo } from '../core/reply-dialects.js';
import { headerText, type RecordHeaders } from '../schemas/framing/framing.js';
import { decodeReply, encodeRequest } from '../schemas/framing/single-object.js';
import { eventually } from './support/eventually.js';
import { Harness } from './support/harness.js';
import { chance, mutate } from './support/mutate.js';
import { floats, valuesOf } from './support/stranger.js';

const SEED = Number(process.env['PARTITURA_TEST_SEED'] ?? 20_261_124);
const MUTATED_OF_A_FRAMING = 25_000;
/** One good record stands between so many mutated ones. */
const GOOD_EVERY = 50;
const PER_SEND = 2_500;
const LIMIT_MS = 180_000;

const VALUES = [1, 2, 3, 4];
const BODY = { id: 'f', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: VALUES }] };
const EVENT = { specversion: '1.0', id: 'f', source: '/fuzz', type: 'io.kserve.inference.request' };
const json = (body: object): Buffer => Buffer.from(JSON.stringify(body));
const texts = (headers: Record<string, string>): RecordHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));

const good = encodeRequest({
  id: 'f',
  model: 'scale',
  modelVersion: null,
  inputs: [floats('x', [1, 4], VALUES)],
  outputs: [],
  parameters: { a: 'b' },
  deadline: null,
});

/** A good record in each framing: what is damaged. */
const FRAMINGS: readonly (readonly [name: string, value: Buffer, headers: RecordHeaders])[] = [
  ['single-object', good, {}],
  ['oip-json', json(BODY), texts({ 'content-type': 'application/json' })],
  [
    'cloudevents-structured',
    json({ ...EVENT, data: BODY }),
    texts({ 'content-type': 'application/cloudevents+json' }),
  ],
  [
    'cloudevents-binary',
    json(BODY),
    texts(Object.fromEntries(Object.entries(EVENT).map(([name, value]) => [`ce_${name}`, value]))),
  ],
  ['mlserver-json', json(BODY), texts({ 'mlserver-model': 'scale', 'mlserver-version': '2' })],
];

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

test(`of ${FRAMINGS.length * MUTATED_OF_A_FRAMING} mutated records (seed ${SEED}) none is lost or stops a good one`, async () => {
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
      `${id} was neither answered nor put aside: ${value.toString('hex')}`,
    );
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
  const random = chance(SEED);
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
  for (let number = 0; number < MUTATED_OF_A_FRAMING; number++) {
    for (const [name, value, headers] of FRAMINGS) {
      const id = `${name} ${number}`;
      mutated.set(id, mutate(value, random));
      await send(id, mutated.get(id) ?? value, random(4) === 0 ? damaged(headers, random) : headers);
    }
    if (number % (GOOD_EVERY / FRAMINGS.length) !== 0) continue;
    fine.push(`good ${number}`);
    await send(`good ${number}`, good, {});
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

function damaged(headers: RecordHeaders, random: (below: number) => number): RecordHeaders {
  return Object.fromEntries(
    Object.keys(headers).map((name) => [name, mutate(Buffer.from(headerText(headers, name) ?? ''), random)]),
  );
}
