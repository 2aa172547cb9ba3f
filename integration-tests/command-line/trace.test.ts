import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cancellationRecord } from '../../cluster/cancellations.js';
import { topicNames } from '../../cluster/topics.js';
import { CommandLine } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { floats, type RawClient } from '../support/raw-client.js';

const cli = new CommandLine({});
let harness: Harness;
let rawClient: RawClient;
let topic: string;
before(async () => {
  harness = await Harness.start(['scale']);
  await harness.node({ nodeId: 'the-node' });
  rawClient = await harness.rawClient('somewhere.replies.else');
  topic = harness.topics.requests('scale');
});
after(async () => {
  await cli.killAll();
  await harness.close();
});

const inputs = [floats('x', [1, 4], [1, 2, 3, 4])];

interface Step {
  readonly at: number;
  readonly what: string;
  readonly where: string;
  readonly details: string;
}

async function trace(id: string, ...more: string[]): Promise<{ steps: Step[]; open: string[] }> {
  const ended = await cli.run(['trace', id, '--json', '--brokers', harness.broker.bootstrap, ...more]);
  assert.equal(ended.code, 0, ended.stderr);
  return JSON.parse(ended.stdout) as { steps: Step[]; open: string[] };
}

const shapeOf = (steps: readonly Step[]): string[] =>
  steps.map(({ what, where }) => `${what} ${where.replace(/ \d+\/\d+$/, '')}`);
const ANSWERED = [
  'request partitura.scale.requests',
  'admitted the-node',
  'computed the-node',
  'reply somewhere.replies.else',
];

test('an Avro request is found by correlation id and request id, with its node and reply', async () => {
  const correlation = rawClient.request(
    topic,
    { id: 'my-request', model: 'scale', inputs, deadline: Date.now() + 60_000 },
    { key: 'my-key' },
  );
  await rawClient.answered([correlation]);
  for (const id of [correlation, 'my-request']) {
    const { steps, open } = await trace(id);
    assert.deepEqual([shapeOf(steps), open], [ANSWERED, []], id);
    const [request, , computed] = steps;
    assert.match(
      request?.details ?? '',
      /^\d+ bytes, key my-key, single-object, plain headers, id my-request, reply to somewhere\.replies\.else, deadline \d+ ms later$/,
    );
    assert.match(
      computed?.details ?? '',
      /^after [\d.]+ ms in the queue, for [\d.]+ ms in a batch of 1, by version [12]$/,
    );
  }
  const printed = await cli.run(['trace', 'my-request', '--brokers', harness.broker.bootstrap]);
  assert.match(printed.stdout, /^TIME +AFTER +WHAT +WHERE +DETAILS\n\S+Z +\+0 ms +request +partitura/);
});

test('replies to other requests with the same request id are not attributed to a request with a correlation id', async () => {
  const sent = [1, 2, 3].map(() => rawClient.request(topic, { id: 'twin', model: 'scale', inputs }));
  await rawClient.answered(sent);
  assert.deepEqual(shapeOf((await trace(sent[1] ?? '')).steps), ANSWERED);
  const { steps } = await trace('twin');
  assert.equal(steps.filter(({ what }) => what === 'reply').length, 3);
});

test('JSON requests and binary correlation ids are found, too', async () => {
  const body = {
    id: 'json-request',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }],
  };
  const correlation = rawClient.send(topic, Buffer.from(JSON.stringify(body)), {
    headers: { 'content-type': Buffer.from('application/json') },
  });
  await rawClient.answered([correlation]);
  assert.deepEqual(shapeOf((await trace('json-request')).steps), ANSWERED);

  const uuid = '00ff8a30-1111-2222-3333-fffefdfcfbfa';
  const seen = rawClient.log.length;
  rawClient.request(
    topic,
    { model: 'scale', inputs },
    {
      wantsReply: false,
      headers: {
        'correlation-id': undefined,
        kafka_correlationId: Buffer.from(uuid.replaceAll('-', ''), 'hex'),
        kafka_replyTopic: Buffer.from(rawClient.replyTopic),
      },
    },
  );
  await eventually('the reply', () => rawClient.log.length > seen);
  for (const id of [uuid, uuid.replaceAll('-', '')])
    assert.deepEqual(shapeOf((await trace(id)).steps), ANSWERED, id);
});

test('a request is found by its trace id', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const headers = { traceparent: Buffer.from(`00-${traceId}-b7ad6b7169203331-01`) };
  const correlation = rawClient.request(topic, { model: 'scale', inputs }, { headers });
  await rawClient.answered([correlation]);
  assert.deepEqual(shapeOf((await trace(traceId)).steps), ANSWERED);
});

test('a dead letter is found with its reason and error reply', async () => {
  const correlation = rawClient.send(topic, Buffer.from('neither Avro nor JSON'));
  await rawClient.answered([correlation]);
  const { steps, open } = await trace(correlation);
  assert.deepEqual(shapeOf(steps.filter(({ what }) => what !== 'answered')).sort(), [
    'dead letter partitura.scale.requests-dlt',
    'reply somewhere.replies.else',
    'request partitura.scale.requests',
  ]);
  assert.deepEqual(open, []);
  assert.match(
    steps.find(({ what }) => what === 'dead letter')?.details ?? '',
    /DECODE_FAILED \(decode\): value: /,
  );
});

test('a waiting request is reported with its position, and an unknown one with the searched topics', async () => {
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic: 'idle.scale.requests', partitions: 1, replicationFactor: -1 }]),
  );
  const correlations = [1, 2, 3].map(() =>
    rawClient.request('idle.scale.requests', { model: 'scale', inputs }, { partition: 0 }),
  );
  await rawClient.sent();
  const { steps, open } = await trace(correlations[2] ?? '', '--prefix', 'idle');
  assert.deepEqual(shapeOf(steps), ['request idle.scale.requests']);
  assert.deepEqual(open, [
    'idle.scale.requests 0/2: waiting behind 2 records; partition not assigned to any node',
  ]);
  const none = await cli.run(['trace', 'never-sent', '--brokers', harness.broker.bootstrap]);
  assert.equal(none.code, 1);
  assert.match(
    none.stderr,
    /trace: expected a record with the id 'never-sent', got none since \S+Z on \d+ topics \(.*\); use an earlier --since to search further back/,
  );
});

test('a request that its caller has abandoned is cancelled, and no longer open', async () => {
  const topics = topicNames('abandoned');
  const [requests, cancellations] = [topics.requests('scale'), topics.cancellations];
  await harness.withAdmin((admin) =>
    admin.createTopics(
      [requests, cancellations].map((topic) => ({ topic, partitions: 1, replicationFactor: -1 })),
    ),
  );
  const [left, kept] = [1, 2].map(() => rawClient.request(requests, { model: 'scale', inputs }));
  rawClient.send(cancellations, cancellationRecord(cancellations, ['another', left ?? '']).value);
  await rawClient.sent();
  const cancelled = await trace(left ?? '', '--prefix', 'abandoned');
  assert.deepEqual(shapeOf(cancelled.steps), [`request ${requests}`, `cancellation ${cancellations}`]);
  assert.deepEqual(cancelled.open, []);
  const { steps, open } = await trace(kept ?? '', '--prefix', 'abandoned');
  assert.deepEqual([shapeOf(steps), open.length], [[`request ${requests}`], 1]);
});
