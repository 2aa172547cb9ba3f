import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startLocalRegistry, type LocalRegistry } from '../../local-cluster/registry.js';
import { CommandLine } from '../support/command-line.js';
import { ExampleClients, INSTALL_LIMIT_MS, assertZero } from '../support/example-clients.js';
import { missing } from '../support/programs.js';

const noPython = await missing(['python3', '-m', 'venv', '--help'], ['python3', '-m', 'pip', '--version']);

let registry: LocalRegistry | undefined;
/** Reason for a missing registry, which is a Java program fetched by Maven. */
let noRegistry: string | undefined;
let clients: ExampleClients;
let python: string;
/** Reason for missing packages. */
let notInstalled: string | undefined;

describe('callers in Python', { skip: noPython ?? false }, () => {
  before(async () => {
    registry = await startLocalRegistry().catch((error: Error) => void (noRegistry = error.message));
    clients = await ExampleClients.start(registry ? { schemaRegistryUrl: registry.url } : {});
    python = join(clients.folder, 'venv/bin/python');
    notInstalled = await install();
  });
  after(async () => {
    await clients.close();
    await registry?.stop();
  });

  async function install(): Promise<string | undefined> {
    const made = await clients.run('python3', ['-m', 'venv', join(clients.folder, 'venv')]);
    if (made.code !== 0) return `python3 -m venv failed: ${made.stdout}${made.stderr}`;
    const requirements = [
      '-q',
      '--disable-pip-version-check',
      '-r',
      'examples/clients/python/requirements.txt',
    ];
    const pip = ['-m', 'pip', 'install', ...requirements];
    const installed = await clients.run(python, pip, { limitMs: INSTALL_LIMIT_MS });
    return installed.code === 0 ? undefined : `pip cannot install the packages: ${installed.stderr}`;
  }

  test('confluent-kafka and fastavro, without a registry', async (t) => {
    if (notInstalled) return t.skip(notInstalled);
    assertZero(await clients.run(python, ['examples/clients/python/predict.py']));
  });

  test("Confluent's own serializers, with a registry", async (t) => {
    const reason = notInstalled ?? noRegistry;
    if (reason) return t.skip(reason);
    const env = { SCHEMA_REGISTRY_URL: registry?.url ?? '' };
    const { code, stderr } = await new CommandLine(env).run(['schemas', 'register', 'digits']);
    assert.equal(code, 0, stderr);
    assertZero(await clients.run(python, ['examples/clients/python/registry.py'], { env }));
  });
});
