import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { Agent, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startGatewayProcess, type GatewayProcess } from '../../local-cluster/role-process.js';
import { sleep } from '../../core/time.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';

const CALLERS = 32;
const IDLE_CONNECTIONS = 10_000;
const SLOW_WRITERS = 200;
const SLOW_BYTE_MS = 100;
/** Time after which gateways give a request up, milliseconds. */
const ANSWER_LIMIT_MS = 10_000;
/** Longest wait for an answer that would count as hanging, milliseconds. */
const HANGING_MS = 20_000;

/** Result of one call: a status, or the error code of its connection. */
type Result = number | string;

describe('a gateway in trouble', () => {
  let harness: Harness;
  let gateways: GatewayProcess[];
  before(async () => {
    harness = await Harness.start(['digits', 'coder']);
    await harness.node();
    gateways = [];
  });
  after(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await harness.close();
  });

  async function startGateway(): Promise<GatewayProcess> {
    const config = harness.config({ gatewayPort: 0, grpcPort: 0, gatewayTimeoutMs: ANSWER_LIMIT_MS });
    const gateway = await startGatewayProcess(config, { log: () => undefined });
    gateways.push(gateway);
    const url = gateway.ready.gateway;
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
    return gateway;
  }

  /**
   * Calls from many callers on kept connections until `stop`; a caller ends when the gateway accepts no more.
   * @param results list that the results are added to
   */
  async function load(url: string, stop: () => boolean, results: Result[] = []): Promise<Result[]> {
    const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
    const caller = async (): Promise<void> => {
      while (!stop()) {
        const result = await predict(url, agent);
        results.push(result);
        if (result === 'ECONNREFUSED') return;
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    agent.destroy();
    return results;
  }

  function predict(url: string, agent: Agent): Promise<Result> {
    const body = '{"instances":[[1,2]]}';
    return new Promise((resolve) => {
      const call = request(
        `${url}/v1/models/coder:predict`,
        { method: 'POST', agent, timeout: HANGING_MS, headers: { 'content-length': body.length } },
        (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)),
      );
      call.on('timeout', () => call.destroy(Object.assign(new Error('hanging'), { code: 'HANGING' })));
      call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      call.end(body);
    });
  }

  test('SIGTERM under load loses no request of callers that go by readiness', async () => {
    const [victim, other] = [await startGateway(), await startGateway()];
    const urls = [victim, other].map(({ ready }) => ready.gateway);
    let stopped = false;
    let ready = [...urls];
    const watch = setInterval(() => {
      for (const url of urls)
        void call(`${url}/readyz`)
          .then(({ status }) => status === 200)
          .catch(() => false)
          .then((isReady) => (ready = ready.filter((one) => one !== url).concat(isReady ? url : [])));
    }, 100);
    const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
    const results: Result[] = [];
    const caller = async (index: number): Promise<void> => {
      for (let turn = index; !stopped; turn++)
        results.push(await predict(ready[turn % ready.length] ?? '', agent));
    };
    const callers = Array.from({ length: CALLERS }, (_, index) => caller(index));
    await eventually('requests are answered', () => results.length > 200);
    const { code } = await victim.stop();
    const answered = results.length;
    await eventually('the other gateway answers', () => results.length > answered + 100);
    stopped = true;
    clearInterval(watch);
    await Promise.all(callers);
    agent.destroy();
    assert.equal(code, 0);
    const counts = countOf(results);
    assert.deepEqual(Object.keys(counts), ['200'], JSON.stringify(counts));
  });

  test('kill -9 under load leaves no caller hanging, and another gateway answers', async () => {
    const [victim, other] = [await startGateway(), await startGateway()];
    let stopped = false;
    const results = load(victim.ready.gateway, () => stopped);
    const others = load(other.ready.gateway, () => stopped);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    victim.kill('SIGKILL');
    const counts = countOf(await results);
    stopped = true;
    assert.equal(counts['HANGING'], undefined, JSON.stringify(counts));
    assert.deepEqual(Object.keys(countOf(await others)), ['200']);
  });

  test('a broker that restarts under load leaves no caller hanging, and requests are answered again', async () => {
    const gateway = await startGateway();
    const { gateway: url } = gateway.ready;
    let stopped = false;
    const results: Result[] = [];
    const loaded = load(url, () => stopped, results);
    await eventually('requests are answered', () => results.includes(200));
    await harness.broker.restart();
    const restarted = results.length;
    await eventually('requests are answered again', () => results.slice(restarted).includes(200), 60_000);
    stopped = true;
    const counts = countOf(await loaded);
    const unexpected = Object.keys(counts).filter((result) => !['200', '429', '503', '504'].includes(result));
    assert.deepEqual(unexpected, [], JSON.stringify(counts));
  });

  test('slow writers are served, and delay nobody', async () => {
    const gateway = await startGateway();
    const { gateway: url } = gateway.ready;
    const slow = Array.from({ length: SLOW_WRITERS }, () => writeSlowly(`${url}/v1/models/coder:predict`));
    let written = false;
    const all = Promise.all(slow).finally(() => (written = true));
    const others = countOf(await load(url, () => written));
    assert.deepEqual(Object.keys(others), ['200']);
    assert.deepEqual([...new Set(await all)], [200]);
  });

  test('ten thousand idle connections delay nobody', { timeout: 120_000 }, async () => {
    const gateway = await startGateway();
    const { port } = new URL(gateway.ready.gateway);
    const sockets: Socket[] = [];
    try {
      for (let batch = 0; batch < IDLE_CONNECTIONS; batch += 500) {
        const opened = Array.from({ length: 500 }, () => openSocket(Number(port)));
        sockets.push(...(await Promise.all(opened)));
      }
      const { status } = await call(`${gateway.ready.gateway}/v1/models/coder:predict`, {
        instances: [[1, 2]],
      });
      assert.equal(status, 200);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('a slow reader of many answers holds little memory and is served to its end', async () => {
    const gateway = await startGateway();
    const rows = 'a,b\n' + '1,2\n'.repeat(50_000);
    const response = await fetch(`${gateway.ready.gateway}/v2/models/coder/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: rows,
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { text: metrics } = await call(`${gateway.ready.gateway}/metrics`);
    const resident = Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]);
    assert.ok(resident < 400e6, `${resident} bytes`);
    assert.equal((await response.text()).trim().split('\n').length, 50_001);
  });
});

function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });
}

/** Sends a prediction byte by byte. @returns the status */
function writeSlowly(url: string): Promise<Result> {
  const body = '{"instances":[[1,2]]}';
  return new Promise((resolve) => {
    const call = request(url, { method: 'POST', agent: false, headers: { 'content-length': body.length } });
    call.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
    call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    void (async () => {
      for (const byte of body) {
        call.write(byte);
        await sleep(SLOW_BYTE_MS);
      }
      call.end();
    })();
  });
}

function countOf(results: readonly Result[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) counts[String(result)] = (counts[String(result)] ?? 0) + 1;
  return counts;
}
