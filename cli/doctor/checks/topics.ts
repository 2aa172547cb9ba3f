import type { Config } from '../../../core/config.js';
import type { TopicFacts } from '../../../core/kafka/inspector.js';
import { recordLimitProblem } from '../../../core/record-limits.js';
import { counted, duration, orOk, problem, setTopic, unknown, warning, type Finding } from '../finding.js';

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
export type TopicRole = 'requests' | 'replies' | 'dead letters' | 'own';

export interface ExaminedTopic {
  readonly topic: string;
  readonly role: TopicRole;
  /** Undefined when it does not exist. */
  readonly facts: TopicFacts | undefined;
  readonly settings: ReadonlyMap<string, string>;
}

export interface TopicCheckOptions {
  readonly brokers: number;
  /** Of the brokers, the smallest; NaN where they don't tell. */
  readonly brokerMaxBytes: number;
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
  const { topic, role, facts } = examined;
  if (!facts)
    return [
      problem(AREA, `${topic} does not exist`, `start a node, which creates it, or create it for ${role}`),
    ];
  if (facts.partitions.length === 0)
    return [
      unknown(AREA, `${topic} may not be described by us`, `allow DESCRIBE and DESCRIBE_CONFIGS on ${topic}`),
    ];
  const findings = [
    ...checkPartitions(facts, examined.settings, options.brokers),
    ...checkCleanUp(examined),
    ...checkSizes(examined, options),
    ...(role === 'requests' ? checkRetention(examined, options.deadlineMs) : []),
    ...(role === 'dead letters' ? checkLetters(examined) : []),
  ];
  const count = counted(facts.partitions.length, 'partition');
  return orOk(findings, AREA, `${topic}: ${count}, its settings fit`);
}

function checkPartitions(
  { topic, partitions }: TopicFacts,
  settings: ReadonlyMap<string, string>,
  brokers: number,
): Finding[] {
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
  const least = Number(settings.get('min.insync.replicas') ?? 1);
  const behind = partitions.filter(({ inSync, replicas }) => inSync < replicas);
  const stuck = behind.filter(({ inSync }) => inSync < least);
  if (stuck.length > 0)
    return [
      problem(
        AREA,
        `${topic}: partitions ${list(stuck)} have fewer replicas in sync than min.insync.replicas=${least}: nothing can be written there`,
        'start the brokers that hold the others',
      ),
    ];
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

function checkCleanUp({ topic, role, settings }: ExaminedTopic): Finding[] {
  const policy = settings.get('cleanup.policy');
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

function checkSizes({ topic, role, settings }: ExaminedTopic, options: TopicCheckOptions): Finding[] {
  const topicBytes = Number(settings.get('max.message.bytes') ?? options.brokerMaxBytes);
  if (role === 'own' || Number.isNaN(topicBytes)) return [];
  const wrong = recordLimitProblem(topic, topicBytes, options.maxRecordBytes);
  if (wrong) {
    const [what = wrong, fix = ''] = wrong.split(/: (?=raise)/);
    return [problem(AREA, what, fix)];
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

function checkRetention({ topic, settings }: ExaminedTopic, deadlineMs: number): Finding[] {
  const findings: Finding[] = [];
  const kept = Number(settings.get('retention.ms') ?? FOR_EVER);
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
  const bytes = Number(settings.get('retention.bytes') ?? FOR_EVER);
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

function checkLetters({ topic, settings }: ExaminedTopic): Finding[] {
  const kept = Number(settings.get('retention.ms') ?? FOR_EVER);
  if (kept === FOR_EVER || kept >= WEEK_MS) return [];
  return [
    warning(
      AREA,
      `${topic}: dead letters are deleted after ${duration(kept)}, looked at or not`,
      setTopic(topic, `retention.ms=${2 * WEEK_MS}`),
    ),
  ];
}
