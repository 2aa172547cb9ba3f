import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { GrpcClient } from '../support/grpc.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';

const ROW = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] };

let harness: Harness;
let url: string;
let grpcAddress: string;
before(async () => {
  harness = await Harness.start(['scale', 'sum', 'coder'], { kafkaClient: 'kafkajs' });
  await harness.node();
  ({ url, grpcAddress } = await harness.gateway());
  await eventually('the models are served', async () => {
    const { body } = await call(`${url}/readyz`);
    return (body as { models: string[] }).models.length === 3;
  });
});
after(() => harness.close());

test('a gateway on kafkajs predicts over HTTP and gRPC', async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, row) =>
      call(`${url}/v1/models/coder:predict`, { instances: [[row, 1]] }),
    ),
  );
  answers.forEach(({ body }, row) => assert.deepEqual(body, { predictions: [[row * 2, 2]] }));
  const client = new GrpcClient(grpcAddress, 'inference.GRPCInferenceService');
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }];
  const { id } = await client.call('ModelInfer', { model_name: 'coder', id: 'g', inputs });
  assert.equal(id, 'g');
  client.close();
});

test('deferred replies are found, alone and on a stream', async () => {
  const stop = new AbortController();
  const stream = await fetch(`${url}/v2/streams/blue`, { signal: stop.signal });
  let events = '';
  const read = async (): Promise<void> => {
    for await (const chunk of stream.body ?? []) events += Buffer.from(chunk).toString();
  };
  read().catch(() => undefined);
  const headers = { prefer: 'respond-async', 'x-stream': 'blue' };
  const { status, headers: answered } = await call(`${url}/v2/models/scale/infer`, ROW, { headers });
  assert.equal(status, 202);
  const location = answered.get('location') ?? '';
  await eventually('the reply is found', async () => (await call(`${url}${location}`)).status === 200);
  await eventually('the reply is on the stream', () => events.includes('event: reply'));
  stop.abort();
});

test('commands reach the nodes, and the console reads topics and dead letters', async () => {
  const unloaded = await call(`${url}/api/models/sum/unload`, '');
  assert.equal(unloaded.status, 200, unloaded.text);
  const producer = harness.kafka.producer();
  await producer.connect();
  const topic = harness.topics.requests('scale');
  await producer.send([{ topic, key: null, value: Buffer.from('no request'), headers: {} }]);
  await producer.close();
  await eventually('the dead letter is listed', async () => {
    const { body } = await call(`${url}/console/api/dead-letters`);
    return (body as { total: number }).total === 1;
  });
  const { body: topics } = await call(`${url}/console/api/topics`);
  assert.ok((topics as { topic: string }[]).some((one) => one.topic === topic));
});
