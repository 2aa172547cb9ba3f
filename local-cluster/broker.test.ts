import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, test } from 'node:test';
import kafkajs from 'kafkajs';
import { startLocalBroker } from './broker.js';
import { waitUntilServing } from './readiness.js';

const { Kafka, logLevel } = kafkajs;
const limit = { timeout: 120_000 };

// A separate temporary folder, so that anything left in it was left by these tests.
process.env.TMPDIR = await mkdtemp(join(tmpdir(), 'broker-test-'));
after(() => rm(tmpdir(), { recursive: true }));

const clientOf = (bootstrap: string): kafkajs.Kafka =>
  new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 10 } });

async function topicsOf(bootstrap: string): Promise<string[]> {
  const admin = clientOf(bootstrap).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

async function createTopic(bootstrap: string, topic: string): Promise<void> {
  const admin = clientOf(bootstrap).admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
  } finally {
    await admin.disconnect();
  }
}

const portOf = (bootstrap: string): number => Number(bootstrap.split(':')[1]);
const never = new Promise<never>(() => undefined);

test(
  'a killed broker restarts on its port with its data, and a stopped one leaves nothing behind',
  limit,
  async () => {
    const broker = await startLocalBroker({ partitions: 3 });
    try {
      await createTopic(broker.bootstrap, 'kept');
      const { exited, bootstrap } = broker;
      await broker.kill();
      assert.equal((await exited).signal, 'SIGKILL');
      await broker.restart();
      assert.equal(broker.bootstrap, bootstrap);
      assert.deepEqual(await topicsOf(bootstrap), ['kept']);
    } finally {
      await broker.stop();
    }
    assert.equal(await waitUntilServing(portOf(broker.bootstrap), never, 500), 'silent');
    assert.deepEqual(await readdir(tmpdir()), []);
  },
);

test('data in a given folder outlives the broker', limit, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'data-'));
  try {
    const first = await startLocalBroker({ dataDir });
    await createTopic(first.bootstrap, 'kept').finally(() => first.stop());
    const second = await startLocalBroker({ dataDir });
    assert.deepEqual(await topicsOf(second.bootstrap).finally(() => second.stop()), ['kept']);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('a port in use is reported with its number', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const message = `port ${port} on 127.0.0.1 is in use by another program; choose another with --broker-port`;
  await assert.rejects(startLocalBroker({ port }), { message }).finally(() => server.close());
});

test('a broker that cannot start reports the reason from its log', limit, async () => {
  await assert.rejects(startLocalBroker({ settings: { 'num.partitions': 'many' } }), /exit code 1[^]*many/);
});

test(
  'a broker dies with the process that started it, even on SIGKILL, and its temporary data is removed',
  limit,
  async () => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', ownerProgram], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
    const { bootstrap, dataDir } = JSON.parse(line) as { bootstrap: string; dataDir: string };
    assert.ok(existsSync(dataDir));
    owner.kill('SIGKILL');
    await eventually(
      async () =>
        (await waitUntilServing(portOf(bootstrap), never, 100)) === 'silent' && !existsSync(dataDir),
    );
  },
);

const ownerProgram = `
  import { readdirSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  import { startLocalBroker } from ${JSON.stringify(new URL('./broker.js', import.meta.url).href)};
  const { bootstrap } = await startLocalBroker();
  const dataDir = tmpdir() + '/' + readdirSync(tmpdir())[0];
  console.log(JSON.stringify({ bootstrap, dataDir }));`;

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'the broker or its data still exists after 20 s');
    await sleep(100);
  }
}
