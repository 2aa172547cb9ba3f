import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ExampleClients, INSTALL_LIMIT_MS, TOO_SHORT, assertZero } from '../support/example-clients.js';
import { ROOT, missing } from '../support/programs.js';

let clients: ExampleClients;
before(async () => {
  clients = await ExampleClients.start();
});
after(() => clients.close());

test('these tests run the commands documented in PRODUCERS.md', async () => {
  const page = await readFile(join(ROOT, 'docs/PRODUCERS.md'), 'utf8');
  for (const command of [
    'node examples/clients/node/predict.mjs',
    'python3 -m venv .venv && .venv/bin/pip install -q -r examples/clients/python/requirements.txt',
    '.venv/bin/python examples/clients/python/predict.py',
    '.venv/bin/python examples/clients/python/registry.py',
    'mvn -q -f examples/clients/java compile exec:java',
    'mvn -q -f examples/clients/spring compile exec:java',
    'npm install --prefix examples/clients/nest --no-audit --no-fund --silent',
    'node examples/clients/nest/predict.mjs',
    'mvn -q -f examples/clients/quarkus package',
    'java -jar examples/clients/quarkus/target/quarkus-app/quarkus-run.jar',
    'go run -C examples/clients/go .',
    'examples/clients/kcat/predict.sh',
    'examples/clients/kafka-connect/run.sh',
    'mvn -q -f examples/clients/kafka-streams compile exec:java',
    'mvn -q -f examples/clients/flink compile exec:exec',
  ]) {
    assert.ok(page.includes(`    $ ${command}\n`), command);
  }
});

test('Node, with the client library', async () => {
  assertZero(await clients.run('node', ['examples/clients/node/predict.mjs']));
});

test('kcat, with a JSON request', { skip: await missing(['kcat', '-V']) }, async () => {
  assertZero(await clients.run('examples/clients/kcat/predict.sh', []));
});

test("NestJS's ClientKafka, and its error handling", async (t) => {
  const project = await clients.copied('nest');
  const npm = ['install', '--prefix', project, '--no-audit', '--no-fund', '--silent'];
  const installed = await clients.run('npm', npm, { limitMs: INSTALL_LIMIT_MS });
  if (installed.code !== 0) return t.skip(`npm cannot install the packages: ${installed.stderr}`);
  const program = join(project, 'predict.mjs');
  assertZero(await clients.run('node', [program]));
  const refused = await clients.run('node', [program, await clients.tooShort()]);
  assert.match(refused.stderr, TOO_SHORT);
});
