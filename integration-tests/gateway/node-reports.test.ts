import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { GrpcClient } from '../support/grpc.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';
import { floats } from '../support/raw-client.js';

interface Statistics {
  readonly inference_count: number;
  readonly execution_count: number;
  readonly last_inference: number;
  readonly inference_stats: Readonly<Record<string, { readonly count: number; readonly ns: number }>>;
}

describe('what nodes report of models', () => {
  let harness: Harness;
  let url: string;
  let grpcAddress: string;
  before(async () => {
    harness = await Harness.start(['coder', 'slow']);
    await Promise.all([harness.node(), harness.node()]);
    ({ url, grpcAddress } = await harness.gateway());
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(() => harness.close());

  async function statistics(model: string): Promise<Statistics | undefined> {
    const { body } = await call(`${url}/v2/models/${model}/stats`);
    return (body as { model_stats: Statistics[] }).model_stats[0];
  }

  test('statistics are the requests, rows and batches of all nodes, and of all senders', async () => {
    const startedAt = Date.now();
    const rows = [1, 2, 3];
    for (const count of rows) {
      const instances = Array.from({ length: count }, () => [1, 2]);
      assert.equal((await call(`${url}/v1/models/coder:predict`, { instances })).status, 200);
    }
    const rawClient = await harness.rawClient();
    const sent = Array.from({ length: 10 }, () =>
      rawClient.request(harness.topics.requests('coder'), {
        model: 'coder',
        inputs: [floats('x', [1, 2], [1, 2])],
      }),
    );
    await rawClient.answered(sent);
    await eventually('all are counted', async () => (await statistics('coder'))?.inference_count === 16);
    const found = await statistics('coder');
    assert.equal(found?.inference_stats['success']?.count, 13);
    assert.ok(found.execution_count >= 1 && found.execution_count <= 13, `${found.execution_count} batches`);
    assert.ok(found.last_inference >= startedAt);
    const { success, queue, compute_infer: computed } = found.inference_stats;
    assert.ok(computed && computed.ns > 0 && success?.ns === computed.ns + (queue?.ns ?? 0));
    const client = new GrpcClient(grpcAddress, 'inference.GRPCInferenceService');
    const { model_stats: overGrpc } = await client.call('ModelStatistics', { name: 'coder' });
    client.close();
    assert.equal(String((overGrpc as { inference_count: unknown }[])[0]?.inference_count), '16');
  });

  test('a queue longer than the caller waits is refused with the time to wait', async () => {
    const client = await harness.client({ timeoutMs: 120_000 });
    const row = new Float32Array(1_200).fill(1);
    const queued = Array.from({ length: 300 }, () =>
      client.predict('slow', { x: { data: row, shape: [300, 4] } }),
    );
    const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] };
    let refused: Awaited<ReturnType<typeof call>> | undefined;
    await eventually('the queue is known', async () => {
      refused = await call(`${url}/v2/models/slow/infer`, body, {
        headers: { 'x-request-timeout-ms': '200' },
      });
      return refused.status === 429;
    });
    assert.match(refused?.text ?? '', /expected a wait of at most 200 ms, got a queue of \d+ ms/);
    assert.ok(Number(refused?.headers.get('retry-after')) >= 1);
    await Promise.all(queued);
  });
});
