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

/** What a topic is for. */
export type TopicRole = 'requests' | 'replies' | 'client replies' | 'dead letters' | 'own';

/** What nodes create it for. */
const PURPOSES: Readonly<Record<TopicRole, string>> = {
  requests: 'requests',
  replies: 'replies',
  'client replies': 'replies to our own clients',
  'dead letters': 'dead letters',
  own: 'what the cluster keeps of itself (cleanup.policy=compact)',
};

export interface ExaminedTopic {
  readonly topic: string;
  readonly role: TopicRole;
  /** Undefined when it does not exist. */
  readonly facts: TopicFacts | undefined;
  /** Or why they can't be seen. */
  readonly settings: TopicSettings | Error;
}

type SeenTopic = ExaminedTopic & { readonly settings: TopicSettings };

export interface TopicCheckOptions {
  readonly brokers: number;
  /** What each broker takes in topics without a limit of their own, as far as it is known. */
  readonly brokerMaxBytes: ReadonlyMap<number, number>;
  /** Of the brokers, the smallest; NaN where they don't tell. */
  readonly replicaFetchBytes: number;
  /** The longest that senders give their requests. */
  readonly deadlineMs: number;
  readonly maxRecordBytes: Config['maxRecordBytes'];
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Below so many deadlines, an ordinary backlog is deleted before it is too late for it. */
const LEAST_DEADLINES = 10;
const FOR_EVER = -1;

/** Everything about one topic. */
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
      unknown(AREA, `${topic} may not be described by us`, `allow DESCRIBE and DESCRIBE_CONFIGS on ${topic}`),
    ];
  const partitions = checkPartitions(facts, settings, options.brokers);
  if (settings instanceof Error)
    return [
      ...partitions,
      unavailable(AREA, `${topic}: its settings`, settings, `DESCRIBE_CONFIGS on topic ${topic}`),
    ];
  const findings = [...partitions, ...checkSettings({ ...examined, settings }, options)];
  const count = counted(facts.partitions.length, 'partition');
  return orOk(findings, AREA, `${topic}: ${count}, its settings fit`);
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
        `${topic}: no leader for partitions ${list(leaderless)}: nothing can be written or read there`,
        'start the brokers that hold them',
      ),
    ];
  const few = partitions.filter(({ replicas }) => replicas < (least ?? 1));
  if (few.length > 0)
    return [
      problem(
        AREA,
        `${topic}: partitions ${list(few)} have fewer copies than min.insync.replicas=${least}: nothing can be written there`,
        `${setTopic(topic, 'min.insync.replicas=1')} (or reassign them with more replicas: kafka-reassign-partitions.sh)`,
      ),
    ];
  const stuck = partitions.filter(({ inSync }) => inSync < (least ?? 1));
  if (stuck.length > 0)
    return [
      problem(
        AREA,
        `${topic}: partitions ${list(stuck)} have fewer replicas in sync than min.insync.replicas=${least}: nothing can be written there`,
        'start the brokers that hold the others',
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
        'look at the logs of the brokers that hold them',
      ),
    );
  if (brokers > 1 && partitions.some(({ replicas }) => replicas === 1))
    found.push(
      warning(
        AREA,
        `${topic}: one copy only, on a cluster of ${brokers} brokers: what is on a broker is lost with it`,
        'reassign its partitions with more replicas (kafka-reassign-partitions.sh), and set PARTITURA_REPLICATION_FACTOR for new ones',
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
        `${topic}: cleanup.policy is ${policy}: what the cluster keeps there is forgotten`,
        setTopic(topic, 'cleanup.policy=compact'),
      ),
    ];
  if (role !== 'own' && isCompacted)
    return [
      problem(
        AREA,
        `${topic}: cleanup.policy is ${policy}: of records with one key only the last is kept, and those without a key are refused`,
        setTopic(topic, 'cleanup.policy=delete'),
      ),
    ];
  return [];
}

function checkSizes({ topic, role, settings }: SeenTopic, options: TopicCheckOptions): Finding[] {
  const [topicBytes, where] = smallestLimit(settings, options.brokerMaxBytes);
  if (role === 'own' || Number.isNaN(topicBytes)) return [];
  const wrong = recordLimitProblem(topic, topicBytes, options.maxRecordBytes);
  if (wrong) {
    const [what = wrong, fix = ''] = wrong.split(/: (?=raise)/);
    return [problem(AREA, `${what}${where}`, fix)];
  }
  if (options.brokers > 1 && topicBytes > options.replicaFetchBytes)
    return [
      warning(
        AREA,
        `${topic} takes batches of ${topicBytes} bytes, and replicas fetch ${options.replicaFetchBytes} at a time: large ones are copied one by one`,
        'raise replica.fetch.max.bytes of the brokers',
      ),
    ];
  return [];
}

/** The limit of a topic, or of the strictest broker where it has none of its own; NaN when nobody tells. */
function smallestLimit(
  { values, own }: TopicSettings,
  brokers: ReadonlyMap<number, number>,
): [bytes: number, where: string] {
  const inForce = Number(values.get('max.message.bytes') ?? NaN);
  const strictest = [...brokers].sort(([, a], [, b]) => a - b)[0];
  if (own.has('max.message.bytes') || !strictest) return [inForce, ''];
  const [broker, bytes] = strictest;
  return [bytes, `: it has no limit of its own, and that is the one of broker ${broker}`];
}

function checkRetention({ topic, settings }: SeenTopic, deadlineMs: number): Finding[] {
  const findings: Finding[] = [];
  const kept = Number(settings.values.get('retention.ms') ?? FOR_EVER);
  if (kept !== FOR_EVER && kept < deadlineMs * LEAST_DEADLINES)
    findings.push(
      problem(
        AREA,
        `${topic}: requests are deleted after ${duration(kept)}, with deadlines of up to ${duration(deadlineMs)}: some that wait are lost without an answer`,
        setTopic(topic, `retention.ms=${DAY_MS}`),
      ),
    );
  else if (kept !== FOR_EVER && kept < DAY_MS)
    findings.push(
      warning(
        AREA,
        `${topic}: requests are deleted after ${duration(kept)}: no node may be away for longer`,
        setTopic(topic, `retention.ms=${DAY_MS}`),
      ),
    );
  const bytes = Number(settings.values.get('retention.bytes') ?? FOR_EVER);
  if (bytes !== FOR_EVER)
    findings.push(
      warning(
        AREA,
        `${topic}: a partition that grows over ${bytes} bytes loses its oldest requests, answered or not`,
        setTopic(topic, 'retention.bytes=-1'),
      ),
    );
  return findings;
}

function checkLetters({ topic, settings }: SeenTopic): Finding[] {
  const kept = Number(settings.values.get('retention.ms') ?? FOR_EVER);
  if (kept === FOR_EVER || kept >= WEEK_MS) return [];
  return [
    warning(
      AREA,
      `${topic}: dead letters are deleted after ${duration(kept)}, looked at or not`,
      setTopic(topic, `retention.ms=${2 * WEEK_MS}`),
    ),
  ];
}
