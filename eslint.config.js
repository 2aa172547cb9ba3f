import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const nodeGlobals = [
  'AbortController',
  'AbortSignal',
  'Buffer',
  'URL',
  'URLSearchParams',
  'console',
  'fetch',
  'performance',
]
  .concat([
    'process',
    'queueMicrotask',
    'setImmediate',
    'setInterval',
    'setTimeout',
    'clearInterval',
    'clearTimeout',
  ])
  .concat(['structuredClone', 'TextDecoder', 'TextEncoder']);

/** Files of up to 400 lines, each with the reason why it is not two. */
const LONG_FILES = {
  'bench/outages.ts': 'one fault after the other, on one harness',
  'consumers/models/batch-proof/proof.ts':
    'the comparisons of one proof share its requests and their outputs',
  'consumers/models/batch-check.ts': 'sampling and comparison of one batch',
  'consumers/models/catalog.ts': 'reconciliation of the repository is one state machine',
  'consumers/records/record-consumer.ts': 'the path of a record, from arrival to acknowledgement',
  'kafka/kafkajs/consumer.ts': 'kafkajs has one object for fetching, groups and commits',
  'kafka/native/transport/cluster.ts': 'one owner of the metadata',
  'schemas/registry/client.ts': 'every request to a registry shares its failover',
};

const PRIVATE_KEYWORD = {
  selector:
    ":matches(PropertyDefinition, MethodDefinition, TSParameterProperty)[accessibility='private']:not([kind='constructor'])",
  message: 'write #name: there is one idiom of privacy',
};
const PLATFORMATIC = {
  name: '@platformatic/kafka',
  message: 'import kafka/platformatic/index.js, which saves half of its start',
};
const ENVIRONMENT = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'only main.ts files read the environment',
};

const lines = (max) => ['error', { max }];

// node:test reports the failure of these itself; nobody awaits them.
const testCalls = { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] };

export default defineConfig(
  globalIgnores(['dist/', 'node_modules/', '.partitura/', 'bench/results/', 'web/']),
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver({ noWarnOnMultipleProjects: true })],
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
    },
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [testCalls] }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'max-params': ['error', 4],
      'max-lines': lines(300),
      'no-restricted-syntax': ['error', PRIVATE_KEYWORD],
    },
  },
  {
    files: [
      '{schemas,core,kafka,cluster,producers,consumers,operations,console,gateway,cli,local-cluster}/**/*.{ts,tsx}',
    ],
    ignores: ['**/*.test.ts'],
    rules: {
      'max-lines-per-function': lines(40),
      'no-restricted-syntax': ['error', PRIVATE_KEYWORD, ENVIRONMENT],
    },
  },
  // The native library reads its settings from the process.
  {
    files: ['cli/main.ts', 'bench/**/*.ts', 'consumers/engine/threaded-engine.ts'],
    rules: { 'no-restricted-syntax': ['error', PRIVATE_KEYWORD] },
  },
  // Sets of tests are described in one function; data and generated types have no reader.
  {
    files: ['**/*.test.ts', 'integration-tests/**/*.ts', ...Object.keys(LONG_FILES)],
    rules: { 'max-lines': lines(400) },
  },
  { files: ['schemas/generated.ts'], rules: { 'max-lines': 'off' } },
  {
    files: ['kafka/**/*.ts'],
    ignores: ['kafka/{native,kafkajs,platformatic}/**', 'kafka/**/*.test.ts', 'kafka/client.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [PLATFORMATIC],
          patterns: [{ group: ['**/native/*', '**/kafkajs/*'], message: 'clients are behind kafka/port.ts' }],
        },
      ],
    },
  },
  {
    files: ['kafka/native/**/*.ts'],
    ignores: ['kafka/native/**/*.test.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [PLATFORMATIC] }] },
  },
  // Nodes of a local cluster inherit the environment, and programs and tests alike choose its Kafka by variables.
  {
    files: ['local-cluster/environment.ts'],
    rules: { 'no-restricted-syntax': ['error', PRIVATE_KEYWORD] },
  },
  {
    files: ['{cluster,producers,consumers,operations,console,gateway,cli,local-cluster}/**/*.ts'],
    // The test of the broker uses kafkajs itself rather than the port.
    ignores: ['local-cluster/broker.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['kafkajs', '@platformatic/kafka'],
          patterns: [
            {
              group: ['**/kafka/native/**', '**/kafka/kafkajs/**'],
              message: 'use kafka/port.ts, or its abilities',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
  },
);
