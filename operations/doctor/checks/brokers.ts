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

/** The addresses that were named. */
export function checkBootstrap(attempts: readonly Reach[], config: Config): Finding[] {
  return attempts.map(({ address, ms, error }) => {
    if (!error) return ok(AREA, `${address} answers (${ms} ms)`);
    const fix = `${howTo(error.message, config)}; KAFKA_BROKERS names it`;
    const others = attempts.some((attempt) => !attempt.error);
    return (others ? warning : problem)(AREA, `${address}: ${error.message}`, fix);
  });
}

function howTo(message: string, { ssl, saslMechanism }: Config): string {
  if (/SASL|authenticat/i.test(message))
    return saslMechanism === undefined
      ? 'the broker wants a login: set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD'
      : `check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, and that the broker has ${saslMechanism}`;
  if (/certificate|SSL|TLS/i.test(message))
    return 'set KAFKA_SSL_CA to the authority of the certificate that the broker shows';
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) return 'the name is not known here: check the spelling and DNS';
  if (/ECONNREFUSED/.test(message)) return 'nothing listens there: start the broker or correct the port';
  const other = ssl
    ? 'without TLS, KAFKA_SSL=false'
    : 'TLS, KAFKA_SSL=true, or a login, KAFKA_SASL_MECHANISM';
  return `check the network between here and there, and whether this listener wants ${other}`;
}

/** The addresses by which the cluster names its brokers: all traffic goes there, whatever was named first. */
export function checkAdvertised(attempts: readonly Reach[]): readonly Finding[] {
  const wrong = attempts.flatMap(({ address, error }) =>
    error
      ? problem(
          AREA,
          `the cluster names a broker ${address}, which can't be used from here: ${error.message}`,
          'set advertised.listeners of that broker to an address that its clients can reach',
        )
      : [],
  );
  const addresses = attempts.map(({ address }) => address).join(', ');
  return orOk(
    wrong,
    AREA,
    `${counted(attempts.length, 'broker')}, reachable as the cluster names them: ${addresses}`,
  );
}

/** What runs at an address, or why it can't be seen. */
export interface Software {
  readonly address: string;
  readonly facts: SoftwareFacts | Error;
}

/** What runs here, and what the brokers are able to do. */
export function checkVersions(
  brokers: readonly Software[],
  { kafkaClient, kafkaGroupProtocol }: Config,
  versions: { readonly partitura: string; readonly node: string },
): Finding[] {
  const here = `Partitura ${versions.partitura} on Node ${versions.node}, KAFKA_CLIENT=${kafkaClient}`;
  const hidden = brokers.flatMap(({ address, facts }) =>
    facts instanceof Error
      ? [unavailable(VERSIONS, `what runs at ${address}`, facts, 'DESCRIBE on the cluster')]
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
        `brokers of different releases: ${seen.map(({ address, release }) => `${address} runs ${release ?? 'an unknown one'}`).join(', ')}`,
        'finish the upgrade',
      ),
    );
  if (kafkaGroupProtocol === 'consumer' && !hasConsumerProtocol)
    findings.push(
      problem(
        VERSIONS,
        'KAFKA_GROUP_PROTOCOL=consumer, which these brokers do not have',
        'use KAFKA_GROUP_PROTOCOL=classic, or Kafka 4.0 or later',
      ),
    );
  return findings;
}

function checkAbilities(
  brokers: readonly (SoftwareFacts & { readonly address: string })[],
  kafkaClient: Config['kafkaClient'],
): Finding[] {
  if (brokers.length === 0) return [];
  const old = brokers.filter(({ lacking }) => lacking.length > 0);
  if (old.length > 0) return old.map(({ address, lacking }) => tooOld(address, lacking, kafkaClient));
  const told = [...new Set(brokers.map(({ release }) => release ?? 'before 3.3, or not told'))];
  const newer = brokers.every((broker) => broker.hasConsumerProtocol);
  return [
    ok(
      VERSIONS,
      `${told.map((release) => `Kafka ${release}`).join(', ')}: speaks all that Partitura needs${newer ? ', and the group protocol of KIP-848' : ''}`,
    ),
  ];
}

/** The doctor itself has no other client, so that with kafkajs nodes work where it sees little. */
function tooOld(address: string, lacking: readonly string[], kafkaClient: Config['kafkaClient']): Finding {
  const what = `${address} does not speak ${lacking.join(', ')}`;
  if (!ABILITIES[kafkaClient].modernGroups)
    return warning(
      VERSIONS,
      `${what}: KAFKA_CLIENT=kafkajs can do without, the doctor sees less`,
      'upgrade to Kafka 3.2 or later',
    );
  return problem(VERSIONS, what, 'upgrade to Kafka 3.2 or later, or set KAFKA_CLIENT=kafkajs');
}

/** What follows from the addresses being unusable. */
export function notLookedAt(): Finding {
  return unknown(
    AREA,
    'topics, groups, nodes, rights and clocks were not looked at: no broker can be used',
    'mend the addresses first',
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

/** Settings of one broker against ours. */
export function checkBrokerSettings(
  broker: number,
  settings: ReadonlyMap<string, string>,
  { sessionTimeoutMs, maxRecordBytes }: Config,
): readonly Finding[] {
  const number = (name: (typeof BROKER_SETTINGS)[number]): number => Number(settings.get(name) ?? NaN);
  const findings: Finding[] = [];
  const least = number('group.min.session.timeout.ms');
  const most = number('group.max.session.timeout.ms');
  if (sessionTimeoutMs < least || sessionTimeoutMs > most)
    findings.push(
      problem(
        AREA,
        `broker ${broker}: PARTITURA_SESSION_TIMEOUT_MS is ${sessionTimeoutMs}, expected ${least} to ${most}: nodes can't join their groups`,
        `set PARTITURA_SESSION_TIMEOUT_MS within these, or group.${sessionTimeoutMs < least ? 'min' : 'max'}.session.timeout.ms of the broker`,
      ),
    );
  const taken = number('message.max.bytes');
  const needed = maxRecordBytes + ROOM_AROUND_VALUE;
  if (taken < needed)
    findings.push(
      warning(
        AREA,
        `broker ${broker}: message.max.bytes is ${taken}, and records may have ${maxRecordBytes}: topics without max.message.bytes of their own refuse the largest`,
        `set message.max.bytes=${needed} on all brokers`,
      ),
    );
  const kept = number('offsets.retention.minutes') * 60_000;
  if (kept < WEEK_MS)
    findings.push(
      warning(
        AREA,
        `broker ${broker}: positions of groups without members are kept for ${duration(kept)}; after a longer outage all requests that are still there are answered again`,
        'raise offsets.retention.minutes of the broker to 10080 (a week) or more',
      ),
    );
  if (settings.get('auto.create.topics.enable') === 'true')
    findings.push(
      warning(
        AREA,
        `broker ${broker} creates topics that anybody names: requests to a mistyped topic wait there for ever, unseen`,
        'set auto.create.topics.enable=false; nodes create the topics that they need',
      ),
    );
  return orOk(findings, AREA, `broker ${broker}: its settings fit`);
}

/** Settings that only make sense when all brokers agree. */
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
      `brokers differ in ${name}: ${values.map(({ broker, value }) => `${broker} has ${value}`).join(', ')}: what one partition of a topic takes another refuses`,
      `set one ${name} on all brokers`,
    ),
  ];
}
