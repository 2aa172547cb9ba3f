import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../../core/config/config.js';
import { checkAgreement, checkBootstrap, checkBrokerSettings, checkVersions } from './brokers.js';

const config = checkConfig({});
const reach = (message?: string): Parameters<typeof checkBootstrap>[0] => [
  { address: 'k:9092', ms: 3, error: message === undefined ? undefined : new Error(message) },
];

test('the fix depends on why an address failed', () => {
  const cases: [string, RegExp][] = [
    ['connect ECONNREFUSED 10.0.0.1:9092', /start the broker or correct the port/],
    ['getaddrinfo ENOTFOUND k', /check the spelling and DNS/],
    ['self-signed certificate in certificate chain', /KAFKA_SSL_CA/],
    ['SASL authentication failed', /set KAFKA_SASL_MECHANISM/],
    ['Connection closed', /whether this listener expects TLS/],
  ];
  for (const [message, fix] of cases) assert.match(checkBootstrap(reach(message), config)[0]?.fix ?? '', fix);
  assert.equal(checkBootstrap(reach(), config)[0]?.message, 'k:9092 answers (3 ms)');
});

test('one wrong address among several is only a warning', () => {
  const attempts = [...reach('connect ECONNREFUSED'), ...reach()];
  assert.deepEqual(
    checkBootstrap(attempts, config).map(({ level }) => level),
    ['warning', 'ok'],
  );
});

test('session timeouts must be within the broker limits, and offsets kept for a week', () => {
  const lines = (settings: Record<string, string>): string[] =>
    checkBrokerSettings(1, new Map(Object.entries(settings)), config).map(
      ({ level, message: what }) => `${level}: ${what}`,
    );
  assert.match(
    lines({ 'group.min.session.timeout.ms': '30000', 'group.max.session.timeout.ms': '60000' })[0] ?? '',
    /^problem: broker 1: PARTITURA_SESSION_TIMEOUT_MS is 10000, expected 30000 to 60000/,
  );
  assert.match(lines({ 'offsets.retention.minutes': '60' })[0] ?? '', /^warning: .* kept for 1 h/);
  assert.match(lines({ 'auto.create.topics.enable': 'true' })[0] ?? '', /^warning: .* mistyped topic/);
  assert.match(
    lines({ 'message.max.bytes': '500000' })[0] ?? '',
    /^warning: .* is 500000, but records may have/,
  );
  assert.deepEqual(lines({}), ['ok: broker 1: settings ok']);
});

test('releases and their differences are reported; the consumer group protocol needs broker support', () => {
  const lines = (protocol: 'classic' | 'consumer', ...releases: (string | undefined)[]): string[] =>
    checkVersions(
      releases.map((release, broker) => ({
        address: String(broker),
        facts: { release, hasConsumerProtocol: false, shareGroupProblem: undefined, lacking: [] },
      })),
      checkConfig({ kafkaGroupProtocol: protocol }),
      { partitura: '1', node: '20' },
    ).map(({ level, message: what }) => `${level}: ${what}`);
  assert.deepEqual(lines('classic', '4.3', '4.3'), [
    'ok: Partitura 1 on Node 20, KAFKA_CLIENT=native',
    'ok: Kafka 4.3: supports everything Partitura needs',
  ]);
  assert.match(
    lines('classic', '4.2', undefined)[2] ?? '',
    /^warning: .*: 0 runs 4\.2, 1 runs an unknown release$/,
  );
  assert.match(lines('consumer', '3.9')[2] ?? '', /^problem: KAFKA_GROUP_PROTOCOL=consumer/);
});

test('an outdated broker is a finding whose level depends on the chosen client', () => {
  const lines = (kafkaClient: 'native' | 'kafkajs'): string | undefined =>
    checkVersions(
      [
        {
          address: 'k:9092',
          facts: {
            release: undefined,
            hasConsumerProtocol: false,
            shareGroupProblem: undefined,
            lacking: ['version 13 of Fetch'],
          },
        },
      ],
      checkConfig({ kafkaClient }),
      { partitura: '1', node: '20' },
    ).map(({ level, message: what }) => `${level}: ${what}`)[1];
  assert.equal(lines('native'), 'problem: k:9092 does not support version 13 of Fetch');
  assert.match(lines('kafkajs') ?? '', /^warning: k:9092 does not support version 13 of Fetch/);
});

test('brokers must agree on the largest batch', () => {
  const limits = (...values: string[]): number =>
    checkAgreement(new Map(values.map((value, id) => [id, new Map([['message.max.bytes', value]])]))).length;
  assert.equal(limits('1048588', '1048588'), 0);
  assert.equal(limits('16777216', '1048588'), 1);
});

test('delivery as a queue needs share groups on all brokers; the reason is given once', () => {
  const lines = (delivery: 'ordered' | 'queue', ...problems: (string | undefined)[]): string[] =>
    checkVersions(
      problems.map((shareGroupProblem, broker) => ({
        address: String(broker),
        facts: { release: '4.3', hasConsumerProtocol: true, shareGroupProblem, lacking: [] },
      })),
      checkConfig({ delivery }),
      { partitura: '1', node: '20' },
    )
      .filter(({ level }) => level !== 'ok')
      .map(({ level, message: what }) => `${level}: ${what}`);
  assert.deepEqual(lines('queue', undefined), []);
  assert.deepEqual(lines('ordered', 'too old'), []);
  assert.deepEqual(lines('queue', 'too old', undefined, 'too old'), [
    'warning: PARTITURA_DELIVERY=queue: too old; nodes deliver requests in order',
  ]);
});
