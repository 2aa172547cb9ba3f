import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Harness, type ModelName } from '../support/harness.js';
import { modelsServed } from '../support/models-served.js';
import { call } from '../support/http.js';
import { run } from '../support/programs.js';
import { createPython, noPython, SCRIPTS } from '../support/python.js';

const SEED = process.env['PARTITURA_TEST_SEED'] ?? '20261127';
/** Examples for each operation; `npm run test:long -- gateway` generates 100. */
const EXAMPLES = process.env['PARTITURA_TEST_OPENAPI_EXAMPLES'] ?? '5';
const LIMIT_MS = 1_000_000;
const MODELS: readonly ModelName[] = ['coder', 'estimator', 'sum', 'digits'];

describe('the OpenAPI document', { skip: noPython ?? false }, () => {
  let harness: Harness;
  let url: string;
  let folder: string;
  let python: string;
  let notInstalled: string | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-openapi-'));
    const requirements = join(SCRIPTS, 'requirements-schemathesis.txt');
    ({ python, notInstalled } = await createPython(folder, [['-r', requirements]]));
    harness = await Harness.start(MODELS);
    await harness.node();
    ({ url } = await harness.gateway());
    await modelsServed(url, MODELS.length);
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  test('says what the gateway does, as schemathesis finds', async (t) => {
    if (notInstalled) return t.skip(notInstalled);
    const options = ['--max-examples', EXAMPLES, '--seed', SEED, '--continue-on-failure', '--no-color'];
    const config = ['--config-file', join(SCRIPTS, 'schemathesis.toml')];
    const { code, stdout, stderr } = await run(
      python,
      ['-m', 'schemathesis.cli', ...config, 'run', `${url}/openapi.json`, ...options],
      {
        limitMs: LIMIT_MS,
        cwd: folder,
        env: { SCHEMATHESIS_HOOKS: join(SCRIPTS, 'schemathesis_hooks.py') },
      },
    );
    assert.equal(code, 0, stdout + stderr);
    t.diagnostic(/\d+ generated.*/.exec(stdout)?.[0] ?? stdout);
  });

  test('a method that a resource does not have gets 405 and those that it has', async () => {
    const cases = [
      ['/v2/models/coder/infer', 'GET', 'POST'],
      ['/v2/models/coder', 'DELETE', 'GET, HEAD'],
      ['/console/api/dead-letters/drop', 'GET', 'POST'],
      ['/V1/models/coder:PREDICT', 'PUT', 'POST'],
    ] as const;
    for (const [path, method, allowed] of cases) {
      const { status, text, headers } = await call(`${url}${path}`, undefined, { method });
      assert.deepEqual(
        [status, headers.get('allow'), text],
        [405, allowed, `{"error":"Malformed request: ${method} ${path}"}`],
      );
    }
    assert.equal((await call(`${url}/v2/models/coder/nothing`)).status, 404);
  });

  test('the console reads and changes dead letters of the cluster alone', async () => {
    const foreign = 'elsewhere.orders-dlt';
    await harness.withAdmin((admin) =>
      admin.createTopics([{ topic: foreign, partitions: 1, replicationFactor: -1 }]),
    );
    const path = `${url}/console/api/dead-letters`;
    for (const topic of [foreign, harness.topics.requests('coder')]) {
      const place = { topic, partition: 0, offset: 0 };
      for (const { status, text } of [
        await call(`${path}?topic=${topic}`),
        await call(`${path}/${topic}/0/0`),
        await call(`${path}/replay`, { topic, dryRun: true }),
        await call(`${path}/replay`, { place, dryRun: false }),
        await call(`${path}/drop`, { topic, dryRun: true }),
        await call(`${path}/drop`, { place, dryRun: false }),
      ]) {
        assert.equal(status, 400, text);
        assert.match(text, /expected a dead-letter topic of a model or a binding, got '/);
      }
    }
  });

  test('a replay of a record that does not exist is refused at once', async () => {
    const place = { topic: harness.topics.deadLetters('coder'), partition: 0, offset: 3 };
    for (const change of ['replay', 'drop']) {
      const { status, text } = await call(`${url}/console/api/dead-letters/${change}`, {
        place,
        dryRun: true,
      });
      assert.equal(status, 400, text);
      assert.match(text, /partition 0: expected an offset, but the partition is empty, got 3/);
    }
  });
});
