import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkConfig } from '../../core/config/config.js';
import { startNodeProcess } from '../../local-cluster/role-process.js';
import { freePort } from '../../local-cluster/ports.js';
import { startTestBroker, type TestBroker } from '../support/broker.js';
import { CommandLine, type Started } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';
import { NoBroker } from '../support/no-broker.js';
import { ROOT } from '../support/programs.js';

/** Limit on the shutdown of an idle node, with a margin for a busy host. */
const STOP_LIMIT_MS = 15_000;
const OUTAGE = /Kafka has been unavailable for [\d.]+ s; retrying until it is back/;
const RECOVERY = /Kafka is available again after [\d.]+ s; resuming/;

let models: string;
let broker: TestBroker;
let lines: CommandLine;
const cleanups: (() => Promise<unknown>)[] = [];

before(async () => {
  models = await mkdtemp(join(tmpdir(), 'partitura-models-'));
  await cp(join(ROOT, 'integration-tests/fixtures/models/scale'), join(models, 'scale'), { recursive: true });
  lines = new CommandLine({
    PARTITURA_MODELS: models,
    PARTITURA_ENGINE_THREADS: '1',
    PARTITURA_PARTITIONS: '2',
  });
  broker = await startTestBroker();
});
afterEach(async () => {
  await lines.killAll();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
after(async () => {
  await broker?.stop();
  await rm(models, { recursive: true });
});

/** @param brokers its bootstrap addresses */
async function startNode(
  brokers: string,
  env: Record<string, string> = {},
): Promise<Started & { health: string }> {
  const port = String(await freePort());
  const all = { KAFKA_BROKERS: brokers, PARTITURA_HTTP_PORT: port, ...env };
  return { ...lines.start(['node', '--json'], all), health: `http://127.0.0.1:${port}` };
}

/** @param codes accepted exit codes; null for termination by the signal, since a thread could not be stopped */
async function endsInTime(
  node: Started,
  signal: NodeJS.Signals = 'SIGTERM',
  codes: readonly (number | null)[] = [0],
): Promise<void> {
  let code: number | null | undefined;
  void node.end(signal).then((found) => (code = found));
  await eventually(
    `the node ends after ${signal}\n${node.stderr()}`,
    () => code !== undefined,
    STOP_LIMIT_MS,
  );
  assert.ok(codes.includes(code ?? null), `${code}: ${node.stderr()}`);
}

const count = (text: string, what: RegExp): number => text.split(what).length - 1;

async function ready(health: string): Promise<number> {
  const response = await fetch(`${health}/readyz`).catch(() => undefined);
  return response?.status ?? 0;
}

for (const behavior of ['silent', 'closes', 'garbage'] as const)
  test(`a node whose broker ${behavior === 'garbage' ? 'answers garbage' : behavior === 'silent' ? 'never answers' : 'closes each connection'} waits, logs it once, is not ready, and reacts to SIGTERM`, async () => {
    const server = await NoBroker.start(behavior);
    cleanups.push(() => server.stop());
    const node = await startNode(server.address);
    await node.printed(OUTAGE);
    assert.equal(await ready(node.health), 503);
    await eventually('it retries', () => server.accepted > 3, 60_000);
    await endsInTime(node);
    assert.equal(count(node.stderr(), OUTAGE), 1, node.stderr());
    assert.ok(node.stderr().includes('node stopped'));
  });

for (const [what, address] of [
  ['refuses connections', '127.0.0.1:1'],
  ['has a name that does not resolve', 'no-such-host.invalid:9092'],
] as const)
  test(`a node whose broker ${what} waits and logs the reason`, async () => {
    const node = await startNode(address);
    await node.printed(OUTAGE);
    assert.match(node.stderr(), /"reason":"[^"]*(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)/);
    await endsInTime(node, 'SIGINT');
  });

test('a node that was started during an outage serves once it is over', async () => {
  // Only the bootstrap address is gated; the advertised address stays reachable.
  const gate = new Gate(Number(broker.bootstrap.split(':')[1]));
  await gate.open();
  cleanups.push(() => gate.shut());
  await gate.shut();
  const node = await startNode(`127.0.0.1:${gate.port}`);
  await node.printed(OUTAGE);
  await gate.open();
  await node.printed(/"event":"ready"/);
  assert.equal(await ready(node.health), 200);
  await endsInTime(node);
});

test('an outage does not count toward the startup limit of a supervised node', async () => {
  const gate = new Gate(Number(broker.bootstrap.split(':')[1]));
  await gate.open();
  cleanups.push(() => gate.shut());
  await gate.shut();
  const config = checkConfig({ brokers: `127.0.0.1:${gate.port}`, models, engineThreads: 1, partitions: 2 });
  const limitMs = 20_000;
  const starting = startNodeProcess(config, { log: () => undefined, readyLimitMs: limitMs });
  starting.catch(() => undefined);
  await sleep(limitMs + 10_000);
  await gate.open();
  const node = await starting;
  cleanups.push(() => node.stop());
  assert.deepEqual(node.ready.models, ['scale']);
});

test('a killed broker stops no node: the node logs it once, is not ready, and serves again', async () => {
  const node = await startNode(broker.bootstrap);
  await node.printed(/"event":"ready"/);
  await broker.kill();
  await eventually('it is not ready', async () => (await ready(node.health)) === 503, 60_000);
  // Longer than the retries of clients: kafkajs then considers its coordinator lost.
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  await broker.restart();
  await eventually('it is ready again', async () => (await ready(node.health)) === 200, 90_000);
  await endsInTime(node);
  assert.equal(count(node.stderr(), OUTAGE), 1, node.stderr());
  assert.equal(count(node.stderr(), RECOVERY), 1, node.stderr());
  const lines = node
    .stderr()
    .split('\n')
    .filter((line) => /"level":"(warn|error|fatal)"/.test(line));
  assert.equal(lines.length, 1, node.stderr());
});

test('a node stops on a signal during an outage, and on a repeated one', async () => {
  const node = await startNode(broker.bootstrap);
  await node.printed(/"event":"ready"/);
  await broker.kill();
  await node.printed(OUTAGE);
  process.kill(node.pid, 'SIGTERM');
  await endsInTime(node);
  await broker.restart();
});

test('a node stops on a signal while a model loads forever', async () => {
  const stuck = await mkdtemp(join(tmpdir(), 'partitura-stuck-'));
  cleanups.push(() => rm(stuck, { recursive: true }));
  const version = join(stuck, 'stuck', '1');
  await cp(join(models, 'scale', '1'), version, { recursive: true });
  await rm(join(version, 'variables', 'variables.index'));
  // Opening a pipe without a writer blocks in the operating system, like native code on a slow disk.
  execFileSync('mkfifo', [join(version, 'variables', 'variables.index')]);
  const node = await startNode(broker.bootstrap, { PARTITURA_MODELS: stuck, PARTITURA_LOG_LEVEL: 'debug' });
  await eventually('it responds', async () => (await ready(node.health)) === 503);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await endsInTime(node, 'SIGTERM', [0, null]);
});

test('a node stops on a signal at any moment of its startup', async () => {
  for (const moment of [/"event":"ready"/, /model version available/, /partitions assigned/]) {
    const node = await startNode(broker.bootstrap);
    await node.printed(moment);
    await endsInTime(node);
  }
});
