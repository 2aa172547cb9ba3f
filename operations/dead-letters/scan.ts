import type { Config } from '../../core/config/config.js';
import type { KafkaAdmin, KafkaClient, KafkaRecord, UnreadableRecords } from '../../kafka/port.js';
import { scanRanges, topicRanges, type PartitionRange } from '../../kafka/reading/scan-topic.js';
import { HandledDeadLetters } from './handled.js';
import { readDeadLetter, type DeadLetter } from './dead-letter.js';
import type { DeadLetterTopics } from './topics.js';

/** How long nothing may come while a topic is read. */
const READ_LIMIT_MS = 30_000;

/** A cluster whose dead letters are looked at. */
export interface DeadLetterCluster {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly config: Config;
  readonly topics: DeadLetterTopics;
}

export interface DeadLetterScanOptions {
  readonly signal?: AbortSignal | undefined;
  onLetters(letters: readonly DeadLetter[]): void | Promise<void>;
  /** Records that are no letters; called before the letters that came with them. */
  onOthers?(records: readonly KafkaRecord[]): void;
  /** Records in whose place there may be letters. */
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

/** A topic and what it holds at the beginning: what comes later is not looked at. */
export interface DeadLetterRanges {
  readonly topic: string;
  readonly ranges: readonly PartitionRange[];
}

/** @param since milliseconds since the epoch, of the oldest letters to look at */
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
 * Reads the letters of a topic. In a topic of other records those are letters that have error headers.
 * @throws KafkaError when the cluster can't be reached; whatever `onLetters` throws
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

/** What was done with the letters of these topics. */
export async function readHandled(
  { kafka, admin, config, topics }: DeadLetterCluster,
  of: readonly string[],
): Promise<HandledDeadLetters> {
  const wanted = new Set(of);
  const handled = new HandledDeadLetters((topic) => wanted.has(topic));
  const topic = topics.names.handledLetters;
  await scanRanges(kafka, topic, (await topicRanges(admin, topic)) ?? [], {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes: config.fetchMaxBytes,
    onRecords: (records) => {
      for (const record of records) handled.read(record);
    },
  });
  return handled;
}
