import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLetterStyle } from '../../../schemas/headers/headers.js';
import { FakeProducer } from '../../../testing/kafka.js';
import { plainDialect } from '../../../schemas/headers/reply-dialects.js';
import { Outbox, OUTBOX_DEFAULTS } from '../../../kafka/sending/outbox.js';
import { KafkaError, type KafkaErrorKind, type OutgoingRecord } from '../../../kafka/port.js';
import { headersToPass } from '../../../schemas/headers/reply-headers.js';
import { topicNames } from '../../../cluster/topics.js';
import { PartituraError } from '../../../schemas/errors.js';
import { decodeReply, oipJson, singleObject, type Framing } from '../../../schemas/framing/index.js';
import { exampleReply, exampleTensor, plain } from '../../../testing/requests.js';
import { NO_SPANS } from '../../records/record-spans.js';
import { exampleRecord } from '../../../testing/records.js';
import { errorReply, type Caller, type Outcome } from './outcome.js';
import { ReplyPublisher } from './publisher.js';

const ASKED = {
  'reply-to': Buffer.from('my.replies'),
  'reply-partition': Buffer.from('3'),
  'correlation-id': Buffer.from([0, 255]),
};
const DLT = 'p.digits.requests-dlt';

const callerOf = (headers = {}, framing: Framing = singleObject): Caller => ({
  framing,
  dialect: plainDialect,
  address: plainDialect.read(headers),
});
const decodeFailed = new PartituraError('DECODE_FAILED', 'no Avro');

function publishing(
  maxRecordBytes = 1_000,
  deadLetterHeaders: DeadLetterStyle = 'connect',
  passed: readonly string[] = [],
) {
  const producer = new FakeProducer();
  const events: string[] = [];
  const outbox = new Outbox(producer, { ...OUTBOX_DEFAULTS, retryLimitMs: 0 });
  const publisher = new ReplyPublisher(outbox, {
    topics: topicNames('p'),
    node: 'node-1',
    spans: NO_SPANS,
    maxRecordBytes,
    deadLetterHeaders,
    passHeaders: headersToPass(passed),
    onTopicRefused: () => undefined,
    onStuck: (error) => events.push(`stuck: ${error.message}`),
    onDeadLetter: (reason) => events.push(`dead letter ${reason}`),
  });
  const publish = async (...outcomes: Outcome[]): Promise<void> => {
    for (const outcome of outcomes) publisher.publish(outcome, 'digits', () => events.push('acknowledged'));
    await outbox.settled();
  };
  const refuse = (topic: string, kind: KafkaErrorKind): void => {
    producer.refuse = (records) =>
      records.some((record) => record.topic === topic) ? new KafkaError(kind, kind) : undefined;
  };
  return { producer, events, publish, refuse };
}

const replyOutcome = (headers = {}, changes = {}): Outcome => ({
  kind: 'reply',
  record: exampleRecord({ headers }),
  caller: callerOf(headers),
  reply: exampleReply(changes),
  deadline: null,
});

const deadLetter = (headers = {}): Outcome => ({
  kind: 'dead-letter',
  record: exampleRecord({ headers, partition: 2, offset: 9 }),
  stage: 'decode',
  error: decodeFailed,
  notice: { caller: callerOf(headers), reply: errorReply(exampleReply(), decodeFailed, 'node-1') },
});

const replyIn = ({ value }: OutgoingRecord): ReturnType<typeof decodeReply> =>
  decodeReply(value ?? Buffer.alloc(0));
const codeIn = (record: OutgoingRecord | undefined): string | undefined =>
  record && replyIn(record).error?.code;
const texts = (headers: OutgoingRecord['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

test("a dead letter has Spring's headers if configured, even without its value", async () => {
  const { producer, publish } = publishing(1_000, 'spring');
  producer.refuse = (records) =>
    records.some(({ topic, value }) => topic === DLT && value !== null)
      ? new KafkaError('too-large', 'too large')
      : undefined;
  await publish(deadLetter());
  const letter = producer.taken.find(({ topic }) => topic === DLT);
  assert.deepEqual(Object.keys(letter?.headers ?? {}).sort(), [
    '__connect.errors.value.dropped',
    'inference-error',
    'kafka_dlt-exception-fqcn',
    'kafka_dlt-exception-message',
    'kafka_dlt-original-offset',
    'kafka_dlt-original-partition',
    'kafka_dlt-original-timestamp',
    'kafka_dlt-original-topic',
  ]);
});

test('a reply goes to the requested topic with key, correlation id and trace', async () => {
  const { producer, events, publish } = publishing();
  const traceparent = Buffer.from('00-1-2-01');
  await publish(replyOutcome({ ...ASKED, traceparent, other: Buffer.from('x') }));
  const [record] = producer.taken;
  assert.ok(record);
  assert.deepEqual([record.topic, record.partition, String(record.key)], ['my.replies', 3, 'key']);
  assert.deepEqual(record.headers, { traceparent, 'correlation-id': ASKED['correlation-id'] });
  assert.deepEqual(plain(replyIn(record)), exampleReply());
  assert.deepEqual(events, ['acknowledged']);
});

test("without a reply topic it goes to the model's, partitioned by key", async () => {
  const { producer, publish } = publishing();
  await publish(replyOutcome({ 'reply-partition': Buffer.from('999') }));
  const [record] = producer.taken;
  assert.deepEqual(
    [record?.topic, record?.partition, String(record?.key)],
    ['p.digits.replies', undefined, 'key'],
  );
});

test('a JSON reply declares its content type', async () => {
  const { producer, publish } = publishing();
  await publish({
    kind: 'reply',
    record: exampleRecord(),
    caller: callerOf({}, oipJson),
    reply: exampleReply(),
    deadline: null,
  });
  assert.deepEqual(texts(producer.taken[0]?.headers ?? {}), {
    'content-type': 'application/json',
    'partitura-node': 'node-1',
    'partitura-queue-micros': '10',
    'partitura-compute-micros': '20',
    'partitura-batch-rows': '1',
  });
});

test('request headers are copied to replies only if configured', async () => {
  const headers = { tenant: Buffer.from('a'), other: Buffer.from('b') };
  for (const [patterns, expected] of [
    [[], {}],
    [['tenant'], { tenant: 'a' }],
  ] as const) {
    const { producer, publish } = publishing(1_000, 'connect', patterns);
    await publish(replyOutcome(headers));
    assert.deepEqual(texts(producer.taken[0]?.headers ?? {}), expected);
  }
});

test('a tombstone is acknowledged without a record', async () => {
  const { producer, events, publish } = publishing();
  await publish({ kind: 'tombstone', record: exampleRecord() });
  assert.deepEqual([producer.attempts, events], [[], ['acknowledged']]);
});

test('a dead letter is the original byte for byte, with the error', async () => {
  const { producer, events, publish } = publishing();
  const own = Buffer.from([0, 255]);
  await publish(deadLetter({ own }));
  const record = producer.taken.find(({ topic }) => topic === DLT);
  assert.deepEqual(
    [record?.key, record?.value, record?.headers['own']],
    [Buffer.from('key'), Buffer.from('value'), own],
  );
  const { '__connect.errors.offset': offset, 'inference-error': code } = texts(record?.headers ?? {});
  assert.deepEqual([offset, code], ['9', 'DECODE_FAILED']);
  assert.deepEqual(events, ['dead letter DECODE_FAILED', 'acknowledged']);
});

test("a dead letter's error reply follows it, and both are needed for acknowledgement", async () => {
  const { producer, events, publish } = publishing();
  await publish(deadLetter(ASKED), replyOutcome(ASKED));
  assert.deepEqual(
    producer.taken.map(({ topic }) => topic),
    [DLT, 'my.replies', 'my.replies'],
  );
  assert.deepEqual(producer.taken.slice(1).map(codeIn), ['DECODE_FAILED', undefined]);
  assert.deepEqual(events, ['dead letter DECODE_FAILED', 'acknowledged', 'acknowledged']);
});

test('a reply above the size limit becomes REPLY_TOO_LARGE', async () => {
  const { producer, events, publish } = publishing(200);
  await publish(
    replyOutcome(ASKED, { outputs: [exampleTensor({ shape: [1, 100], data: Buffer.alloc(400) })] }),
  );
  const reply = producer.taken[0] && replyIn(producer.taken[0]);
  assert.equal(reply?.error?.code, 'REPLY_TOO_LARGE');
  assert.match(reply.error.message, /^reply: expected at most 200 bytes, got \d+$/);
  assert.deepEqual(events, ['acknowledged']);
});

test('a reply too large for its topic becomes REPLY_TOO_LARGE', async () => {
  const { producer, events, publish } = publishing();
  producer.refuse = ([record]) =>
    record && !replyIn(record).error ? new KafkaError('too-large', 'too large') : undefined;
  await publish(replyOutcome(ASKED));
  assert.deepEqual(producer.taken.map(codeIn), ['REPLY_TOO_LARGE']);
  assert.deepEqual(events, ['acknowledged']);
});

test('a reply that cannot be encoded becomes an error reply', async () => {
  const { producer, publish } = publishing();
  const reply = exampleReply({ outputs: [exampleTensor({ datatype: 'FP16', shape: [1, 4] })] });
  await publish({
    kind: 'reply',
    record: exampleRecord(),
    caller: callerOf({}, oipJson),
    reply,
    deadline: null,
  });
  assert.match(String(producer.taken[0]?.value), /FP16 cannot be represented in JSON/);
});

for (const kind of ['unknown-topic', 'not-authorized', 'other', 'too-large'] as const) {
  test(`a reply that is refused for good (${kind}) becomes a dead letter of the stage reply`, async () => {
    const { producer, events, publish, refuse } = publishing();
    refuse('my.replies', kind);
    await publish(replyOutcome(ASKED));
    const { '__connect.errors.stage': stage, 'inference-error': code } = texts(
      producer.taken[0]?.headers ?? {},
    );
    assert.deepEqual([producer.taken[0]?.topic, stage, code], [DLT, 'reply', 'INTERNAL']);
    assert.deepEqual(events, ['dead letter INTERNAL', 'acknowledged']);
  });
}

test('an outcome that cannot be published stops the node and is not acknowledged', async () => {
  const away = publishing();
  away.refuse('my.replies', 'unavailable');
  await away.publish(replyOutcome(ASKED));
  assert.deepEqual(away.events, ['stuck: unavailable']);

  const loggedOut = publishing();
  loggedOut.refuse('my.replies', 'unauthenticated');
  await loggedOut.publish(replyOutcome(ASKED));
  assert.deepEqual(loggedOut.events, ['stuck: unauthenticated'], 'the caller is not to blame');
  const noLogin = publishing();
  noLogin.refuse(DLT, 'unauthenticated');
  await noLogin.publish(deadLetter());
  assert.deepEqual([...new Set(noLogin.events)], ['stuck: unauthenticated'], 'nor is the letter');

  const noDeadLetters = publishing();
  noDeadLetters.refuse(DLT, 'unknown-topic');
  await noDeadLetters.publish(deadLetter());
  assert.deepEqual(noDeadLetters.events, [
    'stuck: the dead letter of p.digits.requests-2@9 was refused: unknown-topic',
  ]);
});

test('a dead letter that is too large is compressed, then sent without its value', async () => {
  const { producer, events, publish } = publishing();
  producer.refuse = ([first]) =>
    first?.topic === DLT && first.value !== null ? new KafkaError('too-large', 'too large') : undefined;
  const record = exampleRecord({ partition: 2, offset: 9 });
  const outcome: Outcome = { kind: 'dead-letter', record, stage: 'decode', error: decodeFailed };
  await publish(outcome);
  const letters = producer.attempts.map(([letter]) => letter);
  assert.deepEqual(
    letters.map((letter) => [letter?.value === null, letter?.compress ?? false]),
    [
      [false, false],
      [false, true],
      [true, false],
    ],
  );
  const headers = texts(letters.at(-1)?.headers ?? {});
  assert.match(headers['__connect.errors.value.dropped'] ?? '', /bytes were too large/);
  assert.equal(headers['__connect.errors.offset'], '9');
  assert.deepEqual(events, ['dead letter DECODE_FAILED', 'acknowledged']);
});

test('a dead letter is retried while the broker throws exceptions', async () => {
  const { producer, events, publish } = publishing();
  producer.refuse = () =>
    producer.attempts.length < 3
      ? new KafkaError('other', 'UNKNOWN_SERVER_ERROR', { mayBeOfRecord: true })
      : undefined;
  await publish({ kind: 'dead-letter', record: exampleRecord(), stage: 'decode', error: decodeFailed });
  assert.deepEqual(events, ['dead letter DECODE_FAILED', 'acknowledged']);
  assert.equal(producer.attempts.length, 3);
});
