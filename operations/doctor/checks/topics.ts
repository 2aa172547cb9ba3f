import type { Config } from '../../../core/config/config.js';
import type { TopicFacts, TopicSettings } from '../../../kafka/inspector.js';
import { recordLimitProblem } from '../../../cluster/record-limits.js';
import {
  counted,
  duration,
  orOk,
  problem,
  setTopic,
  unknown,
  unavailable,
  warning,
  type Finding,
} from '../finding.js';

const AREA = 'topics';

export const TOPIC_SETTINGS = [
  'cleanup.policy',
  'max.message.bytes',
  'retention.ms',
  'retention.bytes',
  'min.insync.replicas',
  'message.timestamp.type',
] as const;

/** The purpose of a topic. */
export type TopicRole = 'requests' | 'replies' | 'client replies' | 'dead letters' | 'cancellations' | 'own';

/** Purposes in words, for the fix of a missing topic. */
const PURPOSES: Readonly<Record<TopicRole, string>> = {
  requests: 'requests',
  replies: 'replies',
  'client replies': 'replies to our own clients',
  'dead letters': 'dead letters',
  cancellations: 'cancelled requests',
  own: 'cluster state (cleanup.policy=compact)',
};

export interface ExaminedTopic {
  readonly topic: string;
  readonly role: TopicRole;
  /** Undefined if it does not exist. */
  readonly facts: TopicFacts | undefined;
  /** The settings, or the error that hid them. */
  readonly settings: TopicSettings | Error;
}

type SeenTopic = ExaminedTopic & { readonly settings: TopicSettings };

export interface TopicCheckOptions {
  readonly brokers: number;
  /** Known limits of the brokers for topics without their own. */
  readonly brokerMaxBytes: ReadonlyMap<number, number>;
  /** The smallest among the brokers; NaN if unknown. */
  readonly replicaFetchBytes: number;
  /** The longest deadline that senders set. */
  readonly deadlineMs: number;
  readonly maxRecordBytes: Config['maxRecordBytes'];
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Retention below this many deadlines deletes an ordinary backlog before it expires. */
const LEAST_DEADLINES = 10;
const FOREVER = -1;

/** Checks one topic: existence, partitions and settings. */
export function checkTopic(examined: ExaminedTopic, options: TopicCheckOptions): readonly Finding[] {
  const { topic, role, facts, settings } = examined;
  if (!facts)
    return [
      problem(
        AREA,
        `${topic} does not exist`,
        `start a node, which creates it, or create it yourself for ${PURPOSES[role]}`,
      ),
    ];
  if (facts.partitions.length === 0)
    return [
      unknown(AREA, `not authorized to describe ${topic}`, `allow DESCRIBE and DESCRIBE_CONFIGS on ${topic}`),
    ];
  const partitions = checkPartitions(facts, settings, options.brokers);
  if (settings instanceof Error)
    return [
      ...partitions,
      unavailable(AREA, `${topic}: settings`, settings, `DESCRIBE_CONFIGS on topic ${topic}`),
    ];
  const findings = [...partitions, ...checkSettings({ ...examined, settings }, options)];
  const count = counted(facts.partitions.length, 'partition');
  return orOk(findings, AREA, `${topic}: ${count}, settings ok`);
}

function checkSettings(examined: SeenTopic, options: TopicCheckOptions): Finding[] {
  const { role } = examined;
  return [
    ...checkCleanUp(examined),
    ...checkSizes(examined, options),
    ...(role === 'requests' ? checkRetention(examined, options.deadlineMs) : []),
    ...(role === 'dead letters' ? checkLetters(examined) : []),
  ];
}

function checkPartitions(
  { topic, partitions }: TopicFacts,
  settings: ExaminedTopic['settings'],
  brokers: number,
): Finding[] {
  const least =
    settings instanceof Error ? undefined : Number(settings.values.get('min.insync.replicas') ?? 1);
  const list = (chosen: TopicFacts['partitions']): string =>
    chosen.map(({ partition }) => partition).join(', ');
  const leaderless = partitions.filter(({ hasLeader }) => !hasLeader);
  if (leaderless.length > 0)
    return [
      problem(
        AREA,
        `${topic}: no leader for partitions ${list(leaderless)}: they cannot be read or written`,
        'start the brokers of their replicas',
      ),
    ];
  const few = partitions.filter(({ replicas }) => replicas < (least ?? 1));
  if (few.length > 0)
    return [
      problem(
        AREA,
        `${topic}: partitions ${list(few)} have fewer replicas than min.insync.replicas=${least}: they cannot be written`,
        `${setTopic(topic, 'min.insync.replicas=1')} (or reassign them with more replicas: kafka-reassign-partitions.sh)`,
      ),
    ];
  const stuck = partitions.filter(({ inSync }) => inSync < (least ?? 1));
  if (stuck.length > 0)
    return [
      problem(
        AREA,
        `${topic}: partitions ${list(stuck)} have fewer replicas in sync than min.insync.replicas=${least}: they cannot be written`,
        'start the brokers of the other replicas',
      ),
    ];
  return checkCopies(topic, partitions, brokers, list);
}

function checkCopies(
  topic: string,
  partitions: TopicFacts['partitions'],
  brokers: number,
  list: (chosen: TopicFacts['partitions']) => string,
): Finding[] {
  const behind = partitions.filter(({ inSync, replicas }) => inSync < replicas);
  const found: Finding[] = [];
  if (behind.length > 0)
    found.push(
      warning(
        AREA,
        `${topic}: replicas of partitions ${list(behind)} are behind`,
        'check the logs of their brokers',
      ),
    );
  if (brokers > 1 && partitions.some(({ replicas }) => replicas === 1))
    found.push(
      warning(
        AREA,
        `${topic}: a single replica on a cluster of ${brokers} brokers: losing a broker loses its records`,
        'reassign its partitions with more replicas (kafka-reassign-partitions.sh), and set PARTITURA_REPLICATION_FACTOR for new topics',
      ),
    );
  return found;
}

function checkCleanUp({ topic, role, settings }: SeenTopic): Finding[] {
  const policy = settings.values.get('cleanup.policy');
  if (policy === undefined) return [];
  const isCompacted = policy.split(',').includes('compact');
  if (role === 'own' && policy !== 'compact')
    return [
      problem(
        AREA,
        `${topic}: cleanup.policy is ${policy}: cluster state is lost`,
        setTopic(topic, 'cleanup.policy=compact'),
      ),
    ];
  if (role !== 'own' && isCompacted)
    return [
      problem(
        AREA,
        `${topic}: cleanup.policy is ${policy}: only the last record of each key is kept, and records without a key are rejected`,
        setTopic(topic, 'cleanup.policy=delete'),
      ),
    ];
  return [];
}

function checkSizes({ topic, role, settings }: SeenTopic, options: TopicCheckOptions): Finding[] {
  const [topicBytes, where] = smallestLimit(settings, options.brokerMaxBytes);
  if (role === 'own' || role === 'cancellations' || Number.isNaN(topicBytes)) return [];
  const wrong = recordLimitProblem(topic, topicBytes, options.maxRecordBytes);
  if (wrong) {
    const [what = wrong, fix = ''] = wrong.split(/: (?=raise)/);
    return [problem(AREA, `${what}${where}`, fix)];
  }
  if (options.brokers > 1 && topicBytes > options.replicaFetchBytes)
    return [
      warning(
        AREA,
        `${topic} accepts batches of ${topicBytes} bytes, but replicas fetch ${options.replicaFetchBytes} at a time: large batches are replicated one by one`,
        'raise replica.fetch.max.bytes on the brokers',
      ),
    ];
  return [];
}

/** Returns the limit of a topic, or of the strictest broker if it has none of its own; NaN if unknown. */
function smallestLimit(
  { values, own }: TopicSettings,
  brokers: ReadonlyMap<number, number>,
): [bytes: number, where: string] {
  const inForce = Number(values.get('max.message.bytes') ?? NaN);
  const strictest = [...brokers].sort(([, a], [, b]) => a - b)[0];
  if (own.has('max.message.bytes') || !strictest) return [inForce, ''];
  const [broker, bytes] = strictest;
  return [bytes, ` (the limit of broker ${broker}; the topic sets none)`];
}

function checkRetention({ topic, settings }: SeenTopic, deadlineMs: number): Finding[] {
  const findings: Finding[] = [];
  const kept = Number(settings.values.get('retention.ms') ?? FOREVER);
  if (kept !== FOREVER && kept < deadlineMs * LEAST_DEADLINES)
    findings.push(
      problem(
        AREA,
        `${topic}: requests are deleted after ${duration(kept)}, with deadlines of up to ${duration(deadlineMs)}: some are lost without a reply`,
        setTopic(topic, `retention.ms=${DAY_MS}`),
      ),
    );
  else if (kept !== FOREVER && kept < DAY_MS)
    findings.push(
      warning(
        AREA,
        `${topic}: requests are deleted after ${duration(kept)}: no longer outage is survived`,
        setTopic(topic, `retention.ms=${DAY_MS}`),
      ),
    );
  const bytes = Number(settings.values.get('retention.bytes') ?? FOREVER);
  if (bytes !== FOREVER)
    findings.push(
      warning(
        AREA,
        `${topic}: a partition that exceeds ${bytes} bytes loses its oldest requests, answered or not`,
        setTopic(topic, 'retention.bytes=-1'),
      ),
    );
  return findings;
}

function checkLetters({ topic, settings }: SeenTopic): Finding[] {
  const kept = Number(settings.values.get('retention.ms') ?? FOREVER);
  if (kept === FOREVER || kept >= WEEK_MS) return [];
  return [
    warning(
      AREA,
      `${topic}: dead letters are deleted after ${duration(kept)}, handled or not`,
      setTopic(topic, `retention.ms=${2 * WEEK_MS}`),
    ),
  ];
}
