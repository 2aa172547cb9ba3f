import type { Config } from '../../core/config/config.js';
import type { KafkaAdmin, KafkaClient, KafkaRecord, UnreadableRecords } from '../../kafka/port.js';
import { readTable } from '../../kafka/reading/compacted-table.js';
import { scanRanges, topicRanges, type PartitionRange } from '../../kafka/reading/scan-topic.js';
import { HandledDeadLetters } from './handled.js';
import { readDeadLetter, type DeadLetter } from './dead-letter.js';
import type { DeadLetterTopics } from './topics.js';

/** Limit on the time without records while a topic is read. */
const READ_LIMIT_MS = 30_000;

/** A cluster whose dead letters are read. */
export interface DeadLetterCluster {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly config: Config;
  readonly topics: DeadLetterTopics;
}

export interface DeadLetterScanOptions {
  readonly signal?: AbortSignal | undefined;
  onLetters(letters: readonly DeadLetter[]): void | Promise<void>;
  /** Called with records that are not dead letters, before the letters of the same fetch. */
  onOthers?(records: readonly KafkaRecord[]): void;
  /** Called with unreadable ranges, which may hold letters. */
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

/** A topic and the offsets that it held at the start: later records are not read. */
export interface DeadLetterRanges {
  readonly topic: string;
  readonly ranges: readonly PartitionRange[];
}

/** @param since milliseconds since the epoch of the oldest letters to read */
export async function deadLetterRanges(
  { admin }: DeadLetterCluster,
  topics: readonly string[],
  since?: number,
): Promise<DeadLetterRanges[]> {
  const found: DeadLetterRanges[] = [];
  for (const topic of topics) found.push({ topic, ranges: (await topicRanges(admin, topic, since)) ?? [] });
  return found;
}

/**
 * Reads the letters of a topic. In other topics, only records with error headers are letters.
 * @throws KafkaError if the cluster is unavailable; any error of `onLetters`
 */
export async function scanDeadLetters(
  { kafka, config, topics }: DeadLetterCluster,
  { topic, ranges }: DeadLetterRanges,
  options: DeadLetterScanOptions,
): Promise<void> {
  const all = topics.holdsLetters(topic);
  const isLetter = ({ isMarked }: DeadLetter): boolean => all || isMarked;
  await scanRanges(kafka, topic, ranges, {
    signal: options.signal,
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes: config.fetchMaxBytes,
    onUnreadable: (records, reason) => options.onUnreadable?.(records, reason),
    onRecords: (records) => {
      const read = records.map(readDeadLetter);
      const others = read.filter((letter) => !isLetter(letter));
      if (others.length > 0) options.onOthers?.(others.map(({ record }) => record));
      return options.onLetters(read.filter(isLetter));
    },
  });
}

/** Reads the dispositions of the letters of these topics. */
export async function readHandled(
  { kafka, config, topics }: DeadLetterCluster,
  of: readonly string[],
): Promise<HandledDeadLetters> {
  const wanted = new Set(of);
  const handled = new HandledDeadLetters((topic) => wanted.has(topic));
  return readTable(kafka, topics.names.handledLetters, handled, {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes: config.fetchMaxBytes,
  });
}
