import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startLocalRegistry } from './registry.js';

const runs = (command: string, flag: string): boolean => spawnSync(command, [flag]).status === 0;
const skip = runs('java', '-version') && runs('mvn', '-v') ? false : 'needs Java and Maven';
// The first run downloads the registry.
const limit = { timeout: 300_000, skip };

async function isReachable(url: string): Promise<boolean> {
  return fetch(`${url}/subjects`).then(
    ({ ok }) => ok,
    () => false,
  );
}

test('a registry answers until it is stopped', limit, async () => {
  const registry = await startLocalRegistry();
  assert.match(registry.url, /^http:\/\/127\.0\.0\.1:\d+\/apis\/ccompat\/v7$/);
  assert.ok(await isReachable(registry.url));
  await registry.stop();
  await registry.stop();
  assert.ok(!(await isReachable(registry.url)));
});

test('a port in use is reported with its number', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const message = `port ${port} on 127.0.0.1 is in use by another program; choose another with --registry-port`;
  await assert.rejects(startLocalRegistry({ port }), { message }).finally(() => server.close());
});

test('a registry dies with the process that started it, even on SIGKILL', limit, async () => {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', ownerProgram], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  assert.ok(await isReachable(url.trim()));
  owner.kill('SIGKILL');
  const giveUpAt = Date.now() + 20_000;
  while (await isReachable(url.trim())) {
    assert.ok(Date.now() < giveUpAt, 'the registry still exists after 20 s');
    await sleep(100);
  }
});

const ownerProgram = `
  import { startLocalRegistry } from ${JSON.stringify(new URL('./registry.js', import.meta.url).href)};
  const { url } = await startLocalRegistry();
  console.log(url);`;
