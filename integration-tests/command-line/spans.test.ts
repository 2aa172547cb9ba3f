import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import { BoundTopic } from '../support/bound-topic.js';
import { CommandLine, type Started } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { floats } from '../support/raw-client.js';
import { TraceCollector } from '../support/trace-collector.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const TRACEPARENT = Buffer.from(`00-${TRACE_ID}-${PARENT}-01`);
const CONSUMER = 5;
const PRODUCER = 4;
const ERROR = 2;

const cli = new CommandLine({});
let collector: TraceCollector;
let harness: Harness;
let node: Started;
before(async () => {
  collector = await TraceCollector.start();
  harness = await Harness.start(['scale']);
  node = cli.start(['node', '--models', harness.models, '--node-id', 'traced'], {
    KAFKA_BROKERS: harness.broker.bootstrap,
    PARTITURA_BINDING_TOPICS: 'traced-*',
    ...collector.environment,
  });
  await node.printed(/^ready traced/m);
});
after(async () => {
  await cli.killAll();
  await harness.close();
  await collector.close();
});

const inputs = [floats('x', [1, 4], [1, 2, 3, 4])];

test('a request joins the trace of its sender, and so do consumers of its reply', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const headers = { traceparent: TRACEPARENT, tracestate: Buffer.from('vendor=1') };
  const correlation = rawClient.request(topic, { model: 'scale', inputs }, { headers, key: 'k' });
  await rawClient.answered([correlation]);
  await eventually('three spans', () => collector.spans.length >= 3);

  const [process] = collector.named(`process ${topic}`);
  const [predict] = collector.named('predict scale');
  const [send] = collector.named(`send ${rawClient.replyTopic}`);
  assert.ok(process && predict && send);
  for (const span of [process, predict, send]) assert.equal(span.traceId, TRACE_ID);
  assert.deepEqual(
    [process.parentSpanId, predict.parentSpanId, send.parentSpanId],
    [PARENT, process.spanId, process.spanId],
  );
  assert.deepEqual([process.kind, send.kind], [CONSUMER, PRODUCER]);
  assert.equal(process.service, 'partitura-node');
  assert.deepEqual(
    [
      'messaging.system',
      'messaging.destination.name',
      'messaging.consumer.group.name',
      'messaging.kafka.message.key',
    ].map((name) => process.attributes[name]),
    ['kafka', topic, harness.topics.group('scale'), 'k'],
  );
  assert.equal(process.attributes['messaging.message.conversation_id'], correlation);
  assert.equal(process.attributes['partitura.outcome'], 'ok');
  assert.equal(predict.attributes['partitura.batch.rows'], 1);
  const times = [process.startTimeUnixNano, predict.startTimeUnixNano, predict.endTimeUnixNano].map(BigInt);
  assert.deepEqual([...times].sort(), times, 'computed after admitted');

  const [reply] = rawClient.replies.get(correlation) ?? [];
  assert.ok(reply);
  assert.equal(headerText(reply.headers, 'traceparent'), `00-${TRACE_ID}-${send.spanId}-01`);
  assert.equal(headerText(reply.headers, 'tracestate'), 'vendor=1');
});

test('failures are marked in spans, and a dead letter keeps its trace headers', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const correlation = rawClient.send(topic, Buffer.from('?'), { headers: { traceparent: TRACEPARENT } });
  await rawClient.answered([correlation]);
  await eventually('its span', () =>
    collector.spans.some(({ attributes }) => attributes['partitura.outcome'] === 'DECODE_FAILED'),
  );
  const failed = collector.spans.find(({ attributes }) => attributes['error.type'] === 'DECODE_FAILED');
  assert.equal(failed?.status.code, ERROR);
  const [letter] = await harness.deadLetters('scale');
  assert.ok(letter);
  assert.deepEqual(letter.headers['traceparent'], TRACEPARENT);
});

test('results of a binding continue the trace', async () => {
  const bound = await BoundTopic.apply(harness, {
    name: 'traced',
    source: { topic: 'traced-in', format: 'json' },
    model: 'scale',
    inputs: { x: [{ field: 'x', length: 4 }] },
    output: { topic: 'traced-out', fields: { y: {} } },
  });
  await bound.send([
    { value: Buffer.from('{"x":[1,2,3,4]}'), headers: { traceparent: TRACEPARENT, own: Buffer.from('1') } },
  ]);
  const [result] = await bound.results(1);
  assert.ok(result);
  await eventually('its span', () => collector.named('send traced-out').length === 1);
  const [send] = collector.named('send traced-out');
  assert.equal(headerText(result.headers, 'traceparent'), `00-${TRACE_ID}-${send?.spanId}-01`);
  assert.equal(headerText(result.headers, 'own'), '1');
});

test('a call of our client starts a trace that the node continues', async () => {
  const { code, stderr } = await cli.run(
    ['predict', 'scale', '--input', 'x=[[1,2,3,4]]', '--brokers', harness.broker.bootstrap],
    collector.environment,
  );
  assert.equal(code, 0, stderr);
  const topic = harness.topics.requests('scale');
  await eventually('the span of the client', () => collector.named(`send ${topic}`).length === 1);
  const [sent] = collector.named(`send ${topic}`);
  assert.equal(sent?.service, 'partitura-cli');
  await eventually('the span of the node', () =>
    collector
      .named(`process ${topic}`)
      .some(({ traceId, parentSpanId }) => traceId === sent?.traceId && parentSpanId === sent.spanId),
  );
});

test('an unavailable collector is logged and affects nothing else', async () => {
  const lonely = cli.start(['node', '--models', harness.models, '--prefix', 'lonely'], {
    KAFKA_BROKERS: harness.broker.bootstrap,
    ...collector.environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  });
  await lonely.printed(/^ready/m);
  const rawClient = await harness.rawClient();
  const correlation = rawClient.request('lonely.scale.requests', { model: 'scale', inputs });
  await rawClient.answered([correlation]);
  await lonely.printed(/tracing: /);
  assert.equal(await lonely.end('SIGTERM'), 0);
});
