import { ABILITIES } from '../../../kafka/abilities.js';
import type { Config } from '../../../core/config/config.js';
import type { SoftwareFacts } from '../../../kafka/inspector.js';
import { ROOM_AROUND_VALUE } from '../../../cluster/record-limits.js';
import {
  counted,
  duration,
  ok,
  orOk,
  problem,
  unknown,
  unavailable,
  warning,
  type Finding,
} from '../finding.js';

const AREA = 'brokers';
const VERSIONS = 'versions';

/** An attempt to connect and log in at one address. */
export interface Reach {
  readonly address: string;
  readonly ms: number;
  readonly error: Error | undefined;
}

/** Checks the bootstrap addresses. */
export function checkBootstrap(attempts: readonly Reach[], config: Config): Finding[] {
  return attempts.map(({ address, ms, error }) => {
    if (!error) return ok(AREA, `${address} answers (${ms} ms)`);
    const fix = `${fixFor(error.message, config)}; the address comes from KAFKA_BROKERS`;
    const others = attempts.some((attempt) => !attempt.error);
    return (others ? warning : problem)(AREA, `${address}: ${error.message}`, fix);
  });
}

function fixFor(message: string, { ssl, saslMechanism }: Config): string {
  if (/SASL|authenticat/i.test(message))
    return saslMechanism === undefined
      ? 'the broker requires authentication: set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD'
      : `check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, and that the broker enables ${saslMechanism}`;
  if (/certificate|SSL|TLS/i.test(message))
    return 'set KAFKA_SSL_CA to the CA that signed the broker certificate';
  if (/ENOTFOUND|EAI_AGAIN/.test(message))
    return 'the host name does not resolve: check the spelling and DNS';
  if (/ECONNREFUSED/.test(message)) return 'nothing is listening: start the broker or correct the port';
  const other = ssl
    ? 'plaintext (KAFKA_SSL=false)'
    : 'TLS (KAFKA_SSL=true) or authentication (KAFKA_SASL_MECHANISM)';
  return `check the network path, and whether this listener expects ${other}`;
}

/** Checks the advertised listeners: all traffic goes there, whatever the bootstrap addresses were. */
export function checkAdvertised(attempts: readonly Reach[]): readonly Finding[] {
  const wrong = attempts.flatMap(({ address, error }) =>
    error
      ? problem(
          AREA,
          `the cluster advertises ${address}, which is not reachable from here: ${error.message}`,
          'set advertised.listeners of that broker to an address that clients can reach',
        )
      : [],
  );
  const addresses = attempts.map(({ address }) => address).join(', ');
  return orOk(
    wrong,
    AREA,
    `${counted(attempts.length, 'broker')}, reachable at the advertised addresses: ${addresses}`,
  );
}

/** Software at an address, or the error that hid it. */
export interface Software {
  readonly address: string;
  readonly facts: SoftwareFacts | Error;
}

/** Checks our versions and the abilities of the brokers. */
export function checkVersions(
  brokers: readonly Software[],
  { kafkaClient, kafkaGroupProtocol, delivery }: Config,
  versions: { readonly partitura: string; readonly node: string },
): Finding[] {
  const here = `Partitura ${versions.partitura} on Node ${versions.node}, KAFKA_CLIENT=${kafkaClient}`;
  const hidden = brokers.flatMap(({ address, facts }) =>
    facts instanceof Error
      ? [unavailable(VERSIONS, `the software at ${address}`, facts, 'DESCRIBE on the cluster')]
      : [],
  );
  const seen = brokers.flatMap(({ address, facts }) =>
    facts instanceof Error ? [] : [{ address, ...facts }],
  );
  const hasConsumerProtocol = seen.every((broker) => broker.hasConsumerProtocol);
  const findings = [ok(VERSIONS, here), ...hidden, ...checkAbilities(seen, kafkaClient)];
  if (new Set(seen.map(({ release }) => release)).size > 1)
    findings.push(
      warning(
        VERSIONS,
        `brokers run different releases: ${seen.map(({ address, release }) => `${address} runs ${release ?? 'an unknown release'}`).join(', ')}`,
        'finish the upgrade',
      ),
    );
  if (kafkaGroupProtocol === 'consumer' && !hasConsumerProtocol)
    findings.push(
      problem(
        VERSIONS,
        'KAFKA_GROUP_PROTOCOL=consumer, which these brokers do not support',
        'use KAFKA_GROUP_PROTOCOL=classic, or Kafka 4.0 or later',
      ),
    );
  return [...findings, ...(delivery === 'queue' ? checkShareGroups(seen) : [])];
}

/** Checks if requests can be delivered as a queue. */
function checkShareGroups(brokers: readonly SoftwareFacts[]): Finding[] {
  const problems = new Set(brokers.flatMap(({ shareGroupProblem }) => shareGroupProblem ?? []));
  return [...problems].map((reason) =>
    warning(
      VERSIONS,
      `PARTITURA_DELIVERY=queue: ${reason}; nodes deliver requests in order`,
      'upgrade the brokers and their features, or use PARTITURA_DELIVERY=ordered',
    ),
  );
}

function checkAbilities(
  brokers: readonly (SoftwareFacts & { readonly address: string })[],
  kafkaClient: Config['kafkaClient'],
): Finding[] {
  if (brokers.length === 0) return [];
  const old = brokers.filter(({ lacking }) => lacking.length > 0);
  if (old.length > 0) return old.map(({ address, lacking }) => tooOld(address, lacking, kafkaClient));
  const releases = [...new Set(brokers.map(({ release }) => release ?? 'before 3.3 or unknown'))];
  const newer = brokers.every((broker) => broker.hasConsumerProtocol);
  return [
    ok(
      VERSIONS,
      `${releases.map((release) => `Kafka ${release}`).join(', ')}: supports everything Partitura needs${newer ? ', including the KIP-848 group protocol' : ''}`,
    ),
  ];
}

/** The doctor always uses the native client, so with kafkajs nodes may work where the doctor sees little. */
function tooOld(address: string, lacking: readonly string[], kafkaClient: Config['kafkaClient']): Finding {
  const what = `${address} does not support ${lacking.join(', ')}`;
  if (!ABILITIES[kafkaClient].modernGroups)
    return warning(
      VERSIONS,
      `${what}: KAFKA_CLIENT=kafkajs works without it, but the doctor sees less`,
      'upgrade to Kafka 3.2 or later',
    );
  return problem(VERSIONS, what, 'upgrade to Kafka 3.2 or later, or set KAFKA_CLIENT=kafkajs');
}

/** Reports the areas that cannot be checked without a usable broker. */
export function notChecked(): Finding {
  return unknown(
    AREA,
    'topics, groups, nodes, rights and clocks were not checked: no broker is reachable',
    'fix the addresses first',
  );
}

export const BROKER_SETTINGS = [
  'message.max.bytes',
  'replica.fetch.max.bytes',
  'group.min.session.timeout.ms',
  'group.max.session.timeout.ms',
  'offsets.retention.minutes',
  'auto.create.topics.enable',
] as const;

const WEEK_MS = 7 * 86_400_000;

type BrokerSettings = ReadonlyMap<string, string>;

/** Compares the settings of one broker with ours. */
export function checkBrokerSettings(
  broker: number,
  settings: BrokerSettings,
  config: Config,
): readonly Finding[] {
  const findings = [
    checkSessionTimeout(broker, settings, config),
    checkMaxBytes(broker, settings, config),
    checkOffsetsRetention(broker, settings),
    checkTopicCreation(broker, settings),
  ];
  return orOk(
    findings.filter((finding) => finding !== undefined),
    AREA,
    `broker ${broker}: settings ok`,
  );
}

/** Returns NaN for an unknown setting, with which every comparison is false. */
function numberOf(settings: BrokerSettings, name: (typeof BROKER_SETTINGS)[number]): number {
  return Number(settings.get(name) ?? NaN);
}

function checkSessionTimeout(
  broker: number,
  settings: BrokerSettings,
  { sessionTimeoutMs }: Config,
): Finding | undefined {
  const least = numberOf(settings, 'group.min.session.timeout.ms');
  const most = numberOf(settings, 'group.max.session.timeout.ms');
  const isInRange = !(sessionTimeoutMs < least || sessionTimeoutMs > most);
  if (isInRange) return undefined;
  return problem(
    AREA,
    `broker ${broker}: PARTITURA_SESSION_TIMEOUT_MS is ${sessionTimeoutMs}, expected ${least} to ${most}: nodes cannot join their groups`,
    `set PARTITURA_SESSION_TIMEOUT_MS within this range, or change group.${sessionTimeoutMs < least ? 'min' : 'max'}.session.timeout.ms on the broker`,
  );
}

function checkMaxBytes(
  broker: number,
  settings: BrokerSettings,
  { maxRecordBytes }: Config,
): Finding | undefined {
  const accepted = numberOf(settings, 'message.max.bytes');
  const needed = maxRecordBytes + ROOM_AROUND_VALUE;
  if (!(accepted < needed)) return undefined;
  return warning(
    AREA,
    `broker ${broker}: message.max.bytes is ${accepted}, but records may have ${maxRecordBytes} bytes: topics without their own max.message.bytes reject the largest`,
    `set message.max.bytes=${needed} on all brokers`,
  );
}

function checkOffsetsRetention(broker: number, settings: BrokerSettings): Finding | undefined {
  const kept = numberOf(settings, 'offsets.retention.minutes') * 60_000;
  if (!(kept < WEEK_MS)) return undefined;
  return warning(
    AREA,
    `broker ${broker}: offsets of empty groups are kept for ${duration(kept)}; after a longer outage all retained requests are answered again`,
    'raise offsets.retention.minutes on the broker to 10080 (a week) or more',
  );
}

function checkTopicCreation(broker: number, settings: BrokerSettings): Finding | undefined {
  if (settings.get('auto.create.topics.enable') !== 'true') return undefined;
  return warning(
    AREA,
    `broker ${broker} creates topics on first use: requests to a mistyped topic stay there unread`,
    'set auto.create.topics.enable=false; nodes create the topics they need',
  );
}

/** Checks settings that must be equal on all brokers. */
export function checkAgreement(brokers: ReadonlyMap<number, ReadonlyMap<string, string>>): Finding[] {
  const name = 'message.max.bytes';
  const values = [...brokers].flatMap(([broker, settings]) => {
    const value = settings.get(name);
    return value === undefined ? [] : [{ broker, value }];
  });
  if (new Set(values.map(({ value }) => value)).size <= 1) return [];
  return [
    warning(
      AREA,
      `brokers differ in ${name}: ${values.map(({ broker, value }) => `${broker} has ${value}`).join(', ')}: one partition of a topic accepts what another rejects`,
      `set the same ${name} on all brokers`,
    ),
  ];
}
