import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replyTopicPolicy } from '../../cluster/topics.js';
import { PartituraError } from '../../schemas/errors.js';
import { encodeRequest } from '../../schemas/framing/index.js';
import { exampleRequest, exampleTensor } from '../../testing/requests.js';
import { Admission, type Admitted } from './admission.js';
import { Batcher } from '../batching/batcher.js';
import { ModelCounter } from '../models/model-counts.js';
import type { ServedVersion } from '../models/served-version.js';
import type { Outcome } from './replies/outcome.js';
import { DIGITS, HeldEngine, exampleRecord } from '../../testing/records.js';

const NOW = 1_000_000;
const MAX_RECORD_BYTES = 500;
const batcher = new Batcher(new HeldEngine().run, {
  maxBatchRows: 4,
  maxBatchDelayMs: 0,
  parallelism: 1,
  prefetchRows: Infinity,
  batchable: true,
});

const version: ServedVersion = {
  model: 'digits',
  version: '3',
  signature: DIGITS,
  signatureNames: undefined,
  backend: 'wasm' as const,
  trialMs: 0,
  isPostponed: false,
  stayUnbatched: () => undefined,
  batching: { batchable: true, reason: 'a test says so' },
  batcher,
  suspects: batcher,
  counter: new ModelCounter(Date.now),
  fallbackReason: undefined,
  measured: null,
  warmUpProblem: undefined,
  retire: () => Promise.resolve(),
};

const catalog = {
  resolve(model: string, wanted: string | null, signature?: string): ServedVersion {
    if (signature !== undefined) throw new PartituraError('INVALID_REQUEST', `signature '${signature}'`);
    if (['digits', 'known'].includes(model) && (wanted === null || wanted === '3')) return version;
    throw new PartituraError('MODEL_NOT_FOUND', `model '${model}'`);
  },
};

const admission = new Admission(catalog, {
  node: 'node-1',
  maxRecordBytes: MAX_RECORD_BYTES,
  isReplyTopicAllowed: replyTopicPolicy([]),
  now: () => NOW,
});

const good = encodeRequest(exampleRequest());
const json = (body: object): Buffer => Buffer.from(JSON.stringify(body));
const decide = (value: Buffer | null, headers: Record<string, string> = {}): Admitted | Outcome => {
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  return admission.decide(
    exampleRecord({ value, headers: Object.fromEntries(bytes), partition: 2, offset: 9 }),
    'digits',
  );
};

/** A decision in a word: `admitted`, `tombstone`, `reply CODE`, `dead-letter STAGE CODE` with `+ reply` where one goes along. */
function inAWord(decision: Admitted | Outcome): string {
  if (!('kind' in decision)) return 'admitted';
  if (decision.kind === 'reply') return `reply ${decision.reply.error?.code}`;
  if (decision.kind === 'dead-letter')
    return `dead-letter ${decision.stage} ${decision.error.code}${decision.notice ? ' + reply' : ''}`;
  return decision.kind;
}

test('each record is admitted, answered, dead-lettered or counted, as the contract specifies', () => {
  const asked = { 'reply-to': 'my.replies' };
  const tooLarge = encodeRequest(exampleRequest({ parameters: { k: 'x'.repeat(MAX_RECORD_BYTES) } }));
  const wrongShape = encodeRequest(exampleRequest({ inputs: [exampleTensor({ shape: [2, 1] })] }));
  const cases: [string, Buffer | null, Record<string, string>, string][] = [
    ['good', good, {}, 'admitted'],
    ['good, with an address', good, asked, 'admitted'],
    ['tombstone', null, asked, 'tombstone'],
    [
      'reply topic not allowed',
      good,
      { 'reply-to': 'orders' },
      'dead-letter validate REPLY_TOPIC_NOT_ALLOWED',
    ],
    [
      'reply topic that opens requests',
      good,
      { 'reply-to': 'p.digits.requests' },
      'dead-letter validate REPLY_TOPIC_NOT_ALLOWED',
    ],
    ['empty reply topic, which names none', good, { 'reply-to': '' }, 'admitted'],
    [
      'garbage for a topic not allowed',
      Buffer.from('x'),
      { 'reply-to': 'orders' },
      'dead-letter validate REPLY_TOPIC_NOT_ALLOWED',
    ],
    ['unknown framing', Buffer.from('x'), {}, 'dead-letter decode DECODE_FAILED'],
    ['unknown framing, with an address', Buffer.from('x'), asked, 'dead-letter decode DECODE_FAILED + reply'],
    ['empty value', Buffer.alloc(0), {}, 'dead-letter decode DECODE_FAILED'],
    ['truncated', good.subarray(0, -1), asked, 'dead-letter decode DECODE_FAILED + reply'],
    ['bad JSON', Buffer.from('{"inputs":'), {}, 'dead-letter decode DECODE_FAILED'],
    ['too large', tooLarge, {}, 'dead-letter validate REQUEST_TOO_LARGE'],
    ['too large, with an address', tooLarge, asked, 'dead-letter validate REQUEST_TOO_LARGE + reply'],
    ['JSON that is no request', json({}), {}, 'reply INVALID_REQUEST'],
    [
      'unknown signature',
      encodeRequest(exampleRequest({ parameters: { signature: 'encode' } })),
      {},
      'reply INVALID_REQUEST',
    ],
    [
      'JSON of a wrong type',
      json({ inputs: [{ name: 'x', datatype: 'X', shape: [], data: [] }] }),
      {},
      'reply DATATYPE_MISMATCH',
    ],
    ['unknown model', encodeRequest(exampleRequest({ model: 'other' })), {}, 'reply MODEL_NOT_FOUND'],
    [
      'served here, but not by the nodes of this topic',
      encodeRequest(exampleRequest({ model: 'known' })),
      {},
      'reply MODEL_NOT_FOUND',
    ],
    ['unknown version', encodeRequest(exampleRequest({ modelVersion: '4' })), {}, 'reply MODEL_NOT_FOUND'],
    ['known version', encodeRequest(exampleRequest({ modelVersion: '3' })), {}, 'admitted'],
    ['wrong shape', wrongShape, {}, 'reply SHAPE_MISMATCH'],
    ['expired', encodeRequest(exampleRequest({ deadline: NOW - 1 })), {}, 'reply DEADLINE_EXCEEDED'],
    ['expires now', encodeRequest(exampleRequest({ deadline: NOW })), {}, 'admitted'],
  ];
  for (const [name, value, headers, expected] of cases)
    assert.equal(inAWord(decide(value, headers)), expected, name);
});

test("an error reply has the id of its request, or one derived from the record's place", () => {
  const idOf = (decision: Admitted | Outcome): string | undefined =>
    'kind' in decision && decision.kind === 'reply' ? decision.reply.id : undefined;
  assert.equal(idOf(decide(encodeRequest(exampleRequest({ model: 'other' })))), 'r-1');
  for (const value of [encodeRequest(exampleRequest({ id: '', model: 'other' })), json({})]) {
    assert.equal(idOf(decide(value)), 'p.digits.requests-2-9');
  }
});

test('an error reply contains nothing of the request but its id and model', () => {
  const decision = decide(encodeRequest(exampleRequest({ model: 'other', modelVersion: '7' })));
  assert.ok('kind' in decision && decision.kind === 'reply');
  const error = {
    code: 'MODEL_NOT_FOUND',
    message: "model: expected 'digits', whose topic this is, got 'other'",
    retryable: false,
  };
  const expected = {
    id: 'r-1',
    model: 'other',
    modelVersion: '7',
    outputs: [],
    error,
    node: 'node-1',
    timing: null,
  };
  assert.deepEqual(decision.reply, expected);
});

test('a request without id and model gets them from its record', () => {
  const decision = decide(encodeRequest(exampleRequest({ id: '', model: '' })));
  assert.ok(!('kind' in decision));
  assert.deepEqual(
    [decision.request.id, decision.request.model, decision.valid.rows],
    ['p.digits.requests-2-9', 'digits', 1],
  );
});

test('an unreadable record is answered in JSON if it declares JSON, else in Avro', () => {
  const framingOf = (headers: Record<string, string>): string | undefined => {
    const decision = decide(Buffer.from('{'), { 'reply-to': 'my.replies', ...headers });
    assert.ok('kind' in decision && decision.kind === 'dead-letter');
    return decision.notice?.caller.framing.name;
  };
  assert.equal(framingOf({ 'content-type': 'application/json' }), 'oip-json');
  assert.equal(framingOf({ 'content-type': 'text/plain' }), 'single-object');
});

test('a request is refused at once if the queue outlasts its deadline', () => {
  const busy = new Batcher(new HeldEngine().run, { ...batcher.limits });
  busy.prime(5_000, 20_000);
  for (let index = 0; index < 2; index++) {
    busy.submit({
      inputs: [],
      rows: 4,
      laneKey: '',
      mustBeAlone: false,
      deadline: null,
      arrivedAt: 0,
      answered: () => undefined,
      failed: () => undefined,
    });
  }
  const refusing = new Admission({ resolve: () => ({ ...version, batcher: busy }) }, admission.options);
  const decisionFor = (deadline: number): string =>
    inAWord(refusing.decide(exampleRecord({ value: encodeRequest(exampleRequest({ deadline })) }), 'digits'));
  assert.deepEqual([decisionFor(NOW + 39), decisionFor(NOW + 40)], ['reply DEADLINE_EXCEEDED', 'admitted']);
});
