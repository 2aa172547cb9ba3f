import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { InferenceNode } from '../../consumers/node/node.js';
import { eventually } from '../support/eventually.js';
import { GrpcClient } from '../support/grpc.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';

const CALLS = 20;
/** Requests wait this long for a batch to fill: long enough to abandon them before it closes. */
const BATCH_DELAY_MS = 3_000;

describe('requests that their callers abandon', () => {
  let harness: Harness;
  let node: InferenceNode;
  let url: string;
  let grpcAddress: string;
  before(async () => {
    harness = await Harness.start(['coder'], { maxBatchDelayMs: BATCH_DELAY_MS });
    node = await harness.node();
    ({ url, grpcAddress } = await harness.gateway());
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(() => harness.close());

  async function nodeMetric(name: string): Promise<number> {
    const text = await (await fetch(`${node.healthUrl}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(name));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  const cancelled = (): Promise<number> =>
    nodeMetric('partitura_requests_total{model="coder",outcome="cancelled"}');

  test('are not computed after the HTTP client has closed its connection', async () => {
    const leaving = new AbortController();
    const body = '{"instances":[[1,2]]}';
    const predict = (signal?: AbortSignal): Promise<Response> =>
      fetch(`${url}/v1/models/coder:predict`, { method: 'POST', body, ...(signal && { signal }) });
    const abandoned = Array.from({ length: CALLS }, () => predict(leaving.signal));
    await eventually(
      'the node holds them',
      async () => (await nodeMetric('partitura_inflight_requests')) === CALLS,
    );
    const awaited = predict();
    leaving.abort();
    for (const result of await Promise.allSettled(abandoned)) assert.equal(result.status, 'rejected');
    assert.equal((await awaited).status, 200);
    assert.equal(await cancelled(), CALLS);
    assert.equal(await nodeMetric('partitura_batch_size_sum{model="coder"}'), 1);
  });

  test('are not computed after the gRPC client has cancelled, nor after its deadline', async () => {
    const client = new GrpcClient(grpcAddress, 'inference.GRPCInferenceService');
    const [before, computed] = [
      await cancelled(),
      await nodeMetric('partitura_batch_size_sum{model="coder"}'),
    ];
    const request = {
      model_name: 'coder',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }],
    };
    const calls = Array.from({ length: CALLS }, () => client.start('ModelInfer', request));
    const short = client.start('ModelInfer', request, { deadlineMs: BATCH_DELAY_MS / 2 });
    await eventually(
      'the node holds them',
      async () => (await nodeMetric('partitura_inflight_requests')) === CALLS + 1,
    );
    for (const one of calls) one.cancel();
    for (const one of await Promise.allSettled(calls.map(({ reply }) => reply)))
      assert.equal(one.status, 'rejected');
    await assert.rejects(short.reply);
    await eventually(
      'all of them have an outcome',
      async () => (await nodeMetric('partitura_inflight_requests')) === 0,
    );
    assert.ok((await cancelled()) >= before + CALLS);
    assert.equal(await nodeMetric('partitura_batch_size_sum{model="coder"}'), computed);
    client.close();
  });
});
