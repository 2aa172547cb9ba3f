import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readNodes } from '../../cluster/node-directory.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

test('a node serves health, readiness and metrics under the documented names', async () => {
  const node = await harness.node();
  const client = await harness.client();
  for (let index = 0; index < 10; index++) await client.predict('scale', { x: [[1, 2, 3, 4]] });
  await assert.rejects(client.predict('scale', { x: [[1]] }));
  const get = (path: string): Promise<Response> => fetch(`${node.healthUrl}${path}`);
  assert.equal((await get('/healthz')).status, 200);
  const ready = await get('/readyz');
  assert.equal(ready.status, 200);
  assert.equal(((await ready.json()) as { state: string }).state, 'READY');
  assert.equal((await get('/other')).status, 404);
  const metrics = await (await get('/metrics')).text();
  assert.match(metrics, /partitura_requests_total\{model="scale",outcome="ok"\} 10/);
  assert.match(metrics, /partitura_requests_total\{model="scale",outcome="SHAPE_MISMATCH"\} 1/);
  assert.match(metrics, /partitura_queue_seconds_count\{model="scale"\} 10/);
  assert.match(metrics, /partitura_batch_size_sum\{model="scale"\} \d+/);
  assert.match(metrics, /partitura_compute_seconds_count\{model="scale"\} \d+/);
  assert.match(metrics, /^partitura_inflight_requests 0$/m);
  assert.match(
    metrics,
    /partitura_consumer_lag_records\{topic="partitura.scale.requests",partition="\d"\} 0/,
  );
});

test('the node directory reflects nodes that join, leave and die', async () => {
  const nodes = (): ReturnType<typeof readNodes> => readNodes(harness.kafka, harness.config(), Date.now());
  const leaver = await harness.node({ nodeId: 'leaver' });
  const doomed = await harness.nodeProcess({ nodeId: 'doomed' });
  await eventually('both nodes are known', async () => {
    const names = (await nodes()).map(({ node }) => node);
    return names.includes('leaver') && names.includes('doomed');
  });
  const known = await nodes();
  assert.equal(known.find(({ node }) => node === 'leaver')?.state, 'READY');
  assert.equal(known.find(({ node }) => node === 'leaver')?.models[0]?.model, 'scale');
  await leaver.close();
  await eventually(
    'the leaving node is gone',
    async () => !(await nodes()).some(({ node }) => node === 'leaver'),
  );
  doomed.kill('SIGKILL');
  await eventually(
    'the dead node is silent',
    async () => (await nodes()).find(({ node }) => node === 'doomed')?.alive === false,
  );
});
