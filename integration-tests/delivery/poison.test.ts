import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats, valuesOf } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

const good = (): { model: string; inputs: ReturnType<typeof floats>[] } => ({
  model: 'scale',
  inputs: [floats('x', [1, 4], [1, 2, 3, 4])],
});
const encoded = (changes: object): Buffer =>
  encodeRequest({
    id: 'p',
    modelVersion: null,
    outputs: [],
    parameters: {},
    deadline: null,
    ...good(),
    ...changes,
  });

/** Undecodable records: they become dead letters byte for byte, with an error reply. */
const UNREADABLE: readonly (readonly [string, Buffer, string])[] = [
  ['random bytes', randomBytes(300).fill(0xff, 0, 1), 'DECODE_FAILED'],
  [
    'another schema',
    Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), randomBytes(40)]),
    'DECODE_FAILED',
  ],
  ['truncated', encoded({}).subarray(0, 40), 'DECODE_FAILED'],
  ['bytes after the end', Buffer.concat([encoded({}), Buffer.from('more')]), 'DECODE_FAILED'],
  ['broken JSON', Buffer.from('{"inputs": ['), 'DECODE_FAILED'],
  ['empty', Buffer.alloc(0), 'DECODE_FAILED'],
  ['five megabytes', randomBytes(5_000_000).fill(0xff, 0, 1), 'DECODE_FAILED'],
  [
    'five megabytes of a request',
    encoded({ inputs: [floats('x', [312_500, 4], new Array<number>(1_250_000).fill(1))] }),
    'REQUEST_TOO_LARGE',
  ],
];

/** Decodable records that cannot be served: they get an error reply and no dead letter. */
const REFUSED: readonly (readonly [string, Buffer, string, RegExp])[] = [
  ['unknown model', encoded({ model: 'nobody' }), 'MODEL_NOT_FOUND', /'nobody'/],
  ['unknown version', encoded({ modelVersion: '99' }), 'MODEL_NOT_FOUND', /99/],
  [
    'wrong shape',
    encoded({ inputs: [floats('x', [1, 3], [1, 2, 3])] }),
    'SHAPE_MISMATCH',
    /expected shape \[-1,4\], got \[1,3\]/,
  ],
  ['fewer rows than none', encoded({ inputs: [floats('x', [-1, 4], [])] }), 'SHAPE_MISMATCH', /got \[-1,4\]/],
  ['too little data', encoded({ inputs: [floats('x', [2, 4], [1, 2, 3, 4])] }), 'SHAPE_MISMATCH', /32 bytes/],
  [
    'wrong data type',
    encoded({ inputs: [{ ...floats('x', [1, 4], [1, 2, 3, 4]), datatype: 'INT32' }] }),
    'DATATYPE_MISMATCH',
    /expected FP32, got INT32/,
  ],
  ['unknown input', encoded({ inputs: [floats('y', [1, 4], [1, 2, 3, 4])] }), 'INVALID_REQUEST', /'y'/],
  ['no input', encoded({ inputs: [] }), 'INVALID_REQUEST', /'x'/],
  ['unknown output', encoded({ outputs: ['z'] }), 'INVALID_REQUEST', /'z'/],
];

test('poison pills between good records are answered or dead-lettered byte for byte, and every good one is answered', async () => {
  await harness.node();
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const partition = 0;
  const fine: string[] = [];
  const poison = new Map<string, string>();
  for (const [name, value] of [...UNREADABLE, ...REFUSED]) {
    fine.push(rawClient.request(topic, good(), { partition }));
    poison.set(name, rawClient.send(topic, value, { partition, headers: { 'x-name': Buffer.from(name) } }));
    rawClient.send(topic, null, { partition });
  }
  const nan = rawClient.request(
    topic,
    { model: 'scale', inputs: [floats('x', [1, 4], [NaN, Infinity, -Infinity, 1])] },
    { partition },
  );
  fine.push(rawClient.request(topic, good(), { partition }));
  await rawClient.answered([...fine, nan]);

  for (const correlation of fine)
    assert.deepEqual(valuesOf(rawClient.replyTo(correlation).outputs[0]), [2, 4, 6, 8]);
  assert.deepEqual(valuesOf(rawClient.replyTo(nan).outputs[0]), [NaN, Infinity, -Infinity, 2]);
  await eventually(
    'all offsets are committed, tombstones too',
    async () => (await harness.uncommitted('scale')) === 0,
  );

  const dead = await harness.deadLetters('scale');
  assert.equal(dead.length, UNREADABLE.length);
  for (const [name, value, code] of UNREADABLE) {
    const letter = dead.find(({ headers }) => headerText(headers, 'x-name') === name);
    assert.ok(letter, `${name}: expected a dead letter`);
    assert.ok(letter.value?.equals(value), `${name}: the dead letter has the original bytes`);
    assert.equal(headerText(letter.headers, '__connect.errors.topic'), topic);
    assert.equal(headerText(letter.headers, '__connect.errors.exception.class.name'), code, name);
    assert.equal(headerText(letter.headers, 'inference-error'), code);
    assert.equal(headerText(letter.headers, 'correlation-id'), poison.get(name));
  }
  for (const [name, , code, message] of REFUSED) {
    const reply = rawClient.replyTo(poison.get(name) ?? '');
    assert.equal(reply.error?.code, code, name);
    assert.match(reply.error?.message ?? '', message, name);
  }
});

test('an undecodable record with a reply topic gets a dead letter and an error reply', async () => {
  const rawClient = await harness.rawClient();
  const correlation = rawClient.send(harness.topics.requests('scale'), Buffer.from('not a request'));
  await rawClient.answered([correlation]);
  const reply = rawClient.replyTo(correlation);
  assert.equal(reply.error?.code, 'DECODE_FAILED');
  const [record] = rawClient.replies.get(correlation) ?? [];
  assert.equal(headerText(record?.headers ?? {}, 'inference-error'), 'DECODE_FAILED');
});
