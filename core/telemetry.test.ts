import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Counter, Registry, serveHealth, type HealthServer } from './telemetry.js';

interface State {
  healthy: boolean;
  ready: boolean;
}

async function serve(context: TestContext, state: State, registry = new Registry()): Promise<HealthServer> {
  const server = await serveHealth('127.0.0.1', 0, registry, {
    healthy: () => state.healthy,
    ready: () => state.ready,
    details: () => ({ node: 'n' }),
  });
  context.after(() => server.close());
  return server;
}

test('metrics are served in the Prometheus format', async (context) => {
  const registry = new Registry();
  new Counter({ name: 'things_total', help: 'Things', registers: [registry] }).inc(3);
  const { url } = await serve(context, { healthy: true, ready: true }, registry);
  const response = await fetch(`${url}/metrics?x=1`);
  assert.equal(response.headers.get('content-type'), registry.contentType);
  assert.match(await response.text(), /^things_total 3$/m);
});

test('health and readiness are reported separately, with details', async (context) => {
  const state = { healthy: true, ready: false };
  const { url } = await serve(context, state);
  const ask = async (path: string): Promise<[number, unknown]> => {
    const response = await fetch(url + path);
    return [response.status, await response.json()];
  };
  assert.deepEqual(await ask('/healthz'), [200, { ok: true, node: 'n' }]);
  assert.deepEqual(await ask('/readyz'), [503, { ok: false, node: 'n' }]);
  Object.assign(state, { healthy: false, ready: true });
  assert.deepEqual(await ask('/healthz'), [503, { ok: false, node: 'n' }]);
  assert.deepEqual(await ask('/readyz'), [200, { ok: true, node: 'n' }]);
  assert.equal((await ask('/'))[0], 404);
});

test('a port in use is reported in one clear sentence', async (context) => {
  const { url } = await serve(context, { healthy: true, ready: true });
  const port = Number(new URL(url).port);
  const probe = { healthy: () => true, ready: () => true, details: () => ({}) };
  const message = new RegExp(`^port ${port} on 127.0.0.1 is in use by another program`);
  await assert.rejects(serveHealth('127.0.0.1', port, new Registry(), probe), {
    code: 'INVALID_REQUEST',
    message,
  });
});
