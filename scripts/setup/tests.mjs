// Finds tests by their sources and verifies that the compiled tests match them.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SetupError } from './errors.mjs';
import { root } from './paths.mjs';

const compiled = join(root, 'dist');
const skipped = new Set(['node_modules', 'dist']);

const longTests = 'integration-tests/long/';

/** Finds compiled unit and integration tests whose path contains one of `filters` (all without filters), except long ones. */
export function findTests(filters) {
  const chosen = choose(filters);
  const isIntegration = (path) => path.startsWith('integration-tests/');
  return {
    unit: chosen.filter((path) => !isIntegration(path)).map(toCompiled),
    integration: chosen.filter((path) => isIntegration(path) && !path.startsWith(longTests)).map(toCompiled),
  };
}

/** Finds the compiled tests of a suite of `npm run test:long`. */
export function findLongTests(suite) {
  return choose([join(longTests, suite)]).map(toCompiled);
}

/** Returns the Kafka client that is not the default one. */
export async function nonDefaultClient() {
  const { OPTIONS } = await import('../../dist/core/config/config.js');
  return OPTIONS.kafkaClient.fallback === 'kafkajs' ? 'native' : 'kafkajs';
}

/** Folders of tests that need no second run: they use both Kafka clients themselves, or none of ours. */
const ONE_CLIENT = /integration-tests\/(command-line|models|wire|support)\//;

/** Finds the compiled integration tests that depend on the Kafka client. */
export function findClientTests() {
  return findTests([]).integration.filter((path) => !ONE_CLIENT.test(path));
}

function choose(filters) {
  const sources = walk(root, '.test.ts').map((path) => relative(root, path));
  refuseUncompiled(sources);
  refuseStale(sources);
  const chosen = sources.filter(
    (path) => filters.length === 0 || filters.some((filter) => path.includes(filter)),
  );
  if (chosen.length === 0)
    throw new SetupError(`expected a test file whose path contains ${filters.join(' or ')}, got none`);
  return chosen;
}

const toCompiled = (source) => join('dist', source.replace(/\.ts$/, '.js'));

function walk(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && !skipped.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    })
    .sort();
}

function refuseUncompiled(sources) {
  const missing = sources.filter((source) => !existsSync(join(root, toCompiled(source))));
  if (missing.length > 0)
    throw new SetupError(`tests not compiled by any TypeScript project: ${missing.join(', ')}`);
}

function refuseStale(sources) {
  const known = new Set(sources.map(toCompiled));
  const stale = walk(compiled, '.test.js')
    .map((path) => relative(root, path))
    .filter((path) => !known.has(path));
  if (stale.length > 0)
    throw new SetupError(`compiled tests without a source; remove them: ${stale.join(', ')}`);
}
