import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPTIONS, checkConfig, fromEnvironment, toEnvironment } from './config.js';
import { GROUPS, PROCESSES } from './processes.js';

test('without options the configuration is for a single machine', () => {
  const config = checkConfig({});
  assert.deepEqual(config.brokers, ['127.0.0.1:9092']);
  assert.deepEqual(config.replyTopics, []);
  assert.deepEqual(
    [config.prefix, config.ssl, config.ordered, config.maxBatchDelayMs, config.httpHost, config.nodeId],
    ['partitura', false, true, 0, '127.0.0.1', undefined],
  );
});

test('environment variables are converted to the types of their options', () => {
  const config = checkConfig(
    fromEnvironment({
      KAFKA_BROKERS: 'a:1, b:2,',
      KAFKA_SSL: 'true',
      PARTITURA_MAX_BATCH_ROWS: '32',
      PARTITURA_ORDERED: 'false',
      PARTITURA_REPLY_TOPICS: 'answers.*,replies',
      PARTITURA_NODE_ID: '',
      UNRELATED: 'x',
    }),
  );
  assert.deepEqual(config.brokers, ['a:1', 'b:2']);
  assert.deepEqual(config.replyTopics, ['answers.*', 'replies']);
  assert.deepEqual(
    [config.ssl, config.maxBatchRows, config.ordered, config.nodeId],
    [true, 32, false, undefined],
  );
});

test('broker addresses are validated before use', () => {
  const brokers = ' PLAINTEXT://a:1 , [::1]:2,SASL_SSL://b.c:3,,';
  const config = checkConfig({ brokers });
  assert.deepEqual(config.brokers, ['a:1', '[::1]:2', 'b.c:3']);
  assert.deepEqual(checkConfig(fromEnvironment(toEnvironment(config))).brokers, config.brokers);
  for (const wrong of [',', 'h', 'h:x', 'h:9092/', 'http://h:9092', '::1:9092', 'a:1,b', ['a:1', 'b']])
    assert.throws(
      () => checkConfig({ brokers: wrong }),
      { code: 'INVALID_REQUEST', message: /KAFKA_BROKERS: expected host:port addresses, .*; got / },
      String(wrong),
    );
  const which = /; got 'b' \(got "a:1,b"\)/;
  assert.throws(() => checkConfig({ brokers: 'a:1,b' }), which);
});

test('a schema registry may have several addresses, and each is validated', () => {
  for (const schemaRegistryUrl of ['http://a:8081', 'http://a:8081,https://u:p@b/x', ' http://a , http://b,'])
    assert.equal(checkConfig({ schemaRegistryUrl }).schemaRegistryUrl, schemaRegistryUrl);
  for (const schemaRegistryUrl of [',', 'a:8081', '127.0.0.1:8081', 'http://a,b', 'ftp://a', 'http://'])
    assert.throws(
      () => checkConfig({ schemaRegistryUrl }),
      /SCHEMA_REGISTRY_URL: expected http:\/\/ or https:\/\/ addresses separated by commas/,
      schemaRegistryUrl,
    );
});

test('one error names all invalid options with their values', () => {
  const wrong = {
    maxBatchRows: '0',
    httpPort: 70_000,
    ordered: 'yes',
    versionPolicy: 'newest',
    prefix: 'a.b',
    sessionTimeoutMs: 10,
  };
  assert.throws(
    () => checkConfig(wrong),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'INVALID_REQUEST');
      for (const [name, value] of Object.entries(wrong)) {
        assert.ok(
          error.message.includes(OPTIONS[name as keyof typeof wrong].env),
          `${name}: ${error.message}`,
        );
        assert.ok(error.message.includes(`(got ${JSON.stringify(value)})`), `${name}: ${error.message}`);
      }
      return true;
    },
  );
});

test('an invalid secret is not printed', () => {
  assert.throws(
    () => checkConfig({ saslPassword: 123_456 }),
    (error: Error) => error.message.includes('KAFKA_SASL_PASSWORD') && !error.message.includes('123456'),
  );
});

test('version policies are accepted as documented', () => {
  for (const versionPolicy of ['latest', 'latest:2', 'all', 'specific:1', 'specific:1,30']) {
    assert.equal(checkConfig({ versionPolicy }).versionPolicy, versionPolicy);
  }
  for (const versionPolicy of ['latest:0', 'latest:', 'specific:', 'specific:a', 'ALL', '1']) {
    assert.throws(() => checkConfig({ versionPolicy }), /PARTITURA_VERSION_POLICY/, versionPolicy);
  }
});

test('contradictory options are refused', () => {
  const draining =
    /PARTITURA_DRAIN_TIMEOUT_MS \(10000\) must be below PARTITURA_SESSION_TIMEOUT_MS \(10000\)/;
  assert.throws(() => checkConfig({ drainTimeoutMs: 10_000 }), draining);
  assert.throws(
    () => checkConfig({ saslMechanism: 'plain', saslUsername: 'me' }),
    /KAFKA_SASL_MECHANISM needs/,
  );
  assert.equal(
    checkConfig({ saslMechanism: 'plain', saslUsername: 'me', saslPassword: 'p' }).saslUsername,
    'me',
  );
});

test('a configuration survives the round trip through environment variables', () => {
  const config = checkConfig({
    brokers: ['a:1', 'b:2'],
    ordered: false,
    replyTopics: 'x*',
    nodeId: 'n',
    maxBatchRows: 7,
    replicationFactor: -1,
    saslMechanism: 'scram-sha-512',
    saslUsername: 'u',
    saslPassword: 'p, with comma',
  });
  assert.deepEqual(checkConfig(fromEnvironment(toEnvironment(config))), config);
  assert.deepEqual(checkConfig(fromEnvironment(toEnvironment(checkConfig({})))), checkConfig({}));
});

test('no two options share an environment variable', () => {
  const variables = Object.values(OPTIONS).map(({ env }) => env);
  assert.equal(new Set(variables).size, variables.length);
});

test('KAFKA_CLIENT=platformatic, the previous name of the native client, is still accepted', () => {
  assert.equal(checkConfig({ kafkaClient: 'platformatic' }).kafkaClient, 'native');
});

test('every option belongs to one group, and every process names groups of the table', () => {
  const names = GROUPS.flatMap(({ options }) => Object.keys(options));
  assert.deepEqual(names, Object.keys(OPTIONS));
  for (const groups of Object.values(PROCESSES))
    assert.ok(groups.length > 0 && groups.every((group) => GROUPS.includes(group)));
});
