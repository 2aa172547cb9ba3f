// `npm run test:long`: suites that take too long for every change. `npm run test:long -- chaos` runs one suite only.
import { setup } from './setup.mjs';
import { prepareReference } from './setup/compatibility.mjs';
import { runMutants } from './mutants/run.mjs';
import { runMain, SetupError } from './setup/errors.mjs';
import { runNode } from './setup/run-node.mjs';
import { findClientTests, findLongTests, nonDefaultClient } from './setup/tests.mjs';

const log = (line) => console.error(`test: ${line}`);
// Tests kill and restart brokers, so they must never use an existing cluster.
delete process.env.KAFKA_BROKERS;

const CLIENTS = process.env.KAFKA_CLIENT ? [process.env.KAFKA_CLIENT] : ['native', 'kafkajs'];
const COMPATIBILITY = 'dist/integration-tests/compatibility/main.js';
const TEST_LIMIT_MS = 20 * 60_000;
const RECORDS_PER_FRAMING = '100000';
const RECORDS_OF_BACKLOG = '200000';
const MUTATED_HTTP_REQUESTS = '200000';
const MUTATED_GRPC_MESSAGES = '100000';
const OPENAPI_EXAMPLES = '100';

/** Suites by name; each resolves true if it passed. */
const SUITES = {
  /** Kills and restarts three brokers and fills their disks, on both Kafka clients. */
  chaos: () => onBothClients(findLongTests('chaos')),
  /** Runs callers in Java and Go, and pipelines in Kafka Streams, Flink and Kafka Connect. */
  clients: () => runTests(findLongTests('clients')),
  /** Runs the ONNX backend tests and writes docs/COMPATIBILITY.md. */
  models: async () => runNode([COMPATIBILITY, await prepareReference(log), 'docs/COMPATIBILITY.md']),
  /** Breaks promises deliberately: tests must fail. */
  mutants: () => runMutants(log),
  /** Runs all integration tests on the Kafka client that is not the default one; `npm test` runs some. */
  'other-client': async () => runTests(findClientTests(), { KAFKA_CLIENT: await nonDefaultClient() }),
  /** Answers a backlog of 200,000 records, on both Kafka clients. */
  backlog: () =>
    onBothClients(['dist/integration-tests/delivery/backlog.test.js'], {
      PARTITURA_TEST_BACKLOG: RECORDS_OF_BACKLOG,
    }),
  /** Sends 700,000 mutated records, 200,000 mutated HTTP requests and 100,000 mutated gRPC messages. */
  fuzz: () =>
    runTests(
      ['wire/fuzz', 'gateway/fuzz', 'gateway/grpc-fuzz'].map(
        (name) => `dist/integration-tests/${name}.test.js`,
      ),
      {
        PARTITURA_TEST_FUZZ: RECORDS_PER_FRAMING,
        PARTITURA_TEST_HTTP_FUZZ: MUTATED_HTTP_REQUESTS,
        PARTITURA_TEST_GRPC_FUZZ: MUTATED_GRPC_MESSAGES,
      },
    ),
  /** Calls the gateway with IBM's SDK, and generates 100 examples for each operation of the OpenAPI document. */
  gateway: () =>
    runTests([...findLongTests('gateway'), 'dist/integration-tests/gateway/openapi.test.js'], {
      PARTITURA_TEST_OPENAPI_EXAMPLES: OPENAPI_EXAMPLES,
    }),
};

async function onBothClients(files, env = {}) {
  let passed = true;
  for (const client of CLIENTS) {
    log(`on ${client}`);
    passed = (await runTests(files, { ...env, KAFKA_CLIENT: client })) && passed;
  }
  return passed;
}

function runTests(files, env = {}) {
  return runNode(
    ['--test', `--test-timeout=${TEST_LIMIT_MS}`, '--test-concurrency=1', '--test-reporter=spec', ...files],
    {
      PARTITURA_TEST_BROKER: 'embedded',
      ...env,
    },
  );
}

/** Continues after a failure, so that one run reports all problems. */
async function runSuites(names) {
  const unknown = names.find((name) => !(name in SUITES));
  if (unknown) throw new SetupError(`expected one of ${Object.keys(SUITES).join(', ')}, got ${unknown}`);
  await setup({ dev: true, log });
  let passed = true;
  for (const name of names.length > 0 ? names : Object.keys(SUITES)) {
    log(`suite ${name}`);
    passed = (await SUITES[name]()) && passed;
  }
  return passed;
}

await runMain(async () => ((await runSuites(process.argv.slice(2))) ? 0 : 1));
