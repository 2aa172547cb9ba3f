// `npm test`: runs setup, lint, unit tests and integration tests, and some of the latter again on the other Kafka client.
// `npm test -- ledger` runs only test files with this name; with KAFKA_CLIENT set, on that client only.
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { runMain } from './setup/errors.mjs';
import { findTests, nonDefaultClient } from './setup/tests.mjs';
import { runNode } from './setup/run-node.mjs';

const filters = process.argv.slice(2);
const log = (line) => console.error(`test: ${line}`);
// Tests kill and restart brokers, so they must never use an existing cluster.
delete process.env.KAFKA_BROKERS;
// Node 20 applies this limit to a file, later versions to a single test; either way no test waits forever.
const testLimit = '--test-timeout=600000';

/** Continues after a failure, so that one run reports all problems. */
async function runAll() {
  await setup({ dev: true, log });
  const { unit, integration } = findTests(filters);
  const checked = filters.length > 0 || (await checkSources());
  const unitPassed = await runTests('unit', unit, 2);
  const integrationPassed = integration.length === 0 || (await runIntegration(integration));
  return checked && unitPassed && integrationPassed;
}

/** Tests of delivery that run again on the other Kafka client; `npm run test:long -- other-client` runs all others on it. */
const BOTH_CLIENTS = new Set(
  [
    'bindings/bindings',
    'delivery/client',
    'delivery/exactly-one-outcome',
    'delivery/order',
    'faults/broker-restarted',
    'faults/coordinator-moved',
    'faults/node-killed',
    'faults/rebalance',
    'hostile/hostile-batches',
  ].map((name) => `dist/integration-tests/${name}.test.js`),
);

/** Returns the non-default Kafka client; undefined if KAFKA_CLIENT is set. */
async function otherClient() {
  return process.env.KAFKA_CLIENT ? undefined : nonDefaultClient();
}

async function checkSources() {
  const results = [
    await tool('eslint/bin/eslint.js', ['.']),
    await tool('prettier/bin/prettier.cjs', ['--check', '.']),
    await runNode(['scripts/generate-types.mjs', '--check']),
    await runNode(['scripts/generate-standalone-schemas.mjs', '--check']),
    await runNode(['scripts/generate-config-docs.mjs', '--check']),
    await runNode(['scripts/generate-benchmark-page.mjs', '--check']),
    await runNode(['scripts/checks/documents.mjs']),
    await runNode(['scripts/checks/words.mjs']),
    await runNode(['scripts/checks/commits.mjs']),
  ];
  return results.every(Boolean);
}

// Tests mostly wait for sessions to expire and brokers to start.
const FILES_AT_ONCE = 3;

/** Prepares the broker once for all files, since fetching its image may exceed the time limit of a test. */
async function runIntegration(files) {
  const { prepareTestBroker } = await import('../dist/integration-tests/support/broker.js');
  const { kind, why, image } = await prepareTestBroker(log);
  log(
    `integration tests run on ${kind === 'testcontainers' ? `testcontainers with ${image}` : 'the embedded broker'}: ${why}`,
  );
  const env = { PARTITURA_TEST_BROKER: kind, ...(image && { PARTITURA_KAFKA_IMAGE: image }) };
  const passed = await runTests('integration', files, FILES_AT_ONCE, env);
  const client = await otherClient();
  const again = client ? files.filter((file) => BOTH_CLIENTS.has(file)) : [];
  return (
    (await runTests(`integration (on ${client})`, again, FILES_AT_ONCE, { ...env, KAFKA_CLIENT: client })) &&
    passed
  );
}

function runTests(name, files, concurrency, env = {}) {
  if (files.length === 0) return true;
  log(`${files.length} ${name} test file${files.length === 1 ? '' : 's'}`);
  return runNode(
    ['--test', testLimit, `--test-concurrency=${concurrency}`, '--test-reporter=spec', ...files],
    env,
  );
}

const tool = (script, args) => runNode([join('node_modules', script), ...args]);

await runMain(async () => ((await runAll()) ? 0 : 1));
