import type { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type UnreadableRecords } from '../../kafka/port.js';
import { matchesFilter, type DeadLetterFilter } from './filter.js';
import { tombstoneOf, type HandledDeadLetters } from './handled.js';
import { scanDeadLetters, type DeadLetterCluster, type DeadLetterRanges } from './scan.js';
import type { DeadLetter } from './dead-letter.js';
import { inParts, markHandled, sendOrThrow } from './send.js';
import { Counts } from './counts.js';

const PART = 1_000;

export interface DropOptions {
  readonly filter: DeadLetterFilter;
  /** Undefined for a dry run, which only counts. */
  readonly outbox: Outbox | undefined;
  readonly signal?: AbortSignal | undefined;
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

/** The deletable prefix of a partition. */
interface Prefix {
  /** Offset of the first record to keep; Infinity while none was found. */
  end: number;
  dropped: number;
}

/**
 * Drops dead letters: marks them as dropped, which hides them. Kafka deletes records only from the beginning of a
 * partition, so a record is deleted once all records before it are dropped, too.
 */
export class Drop {
  /** Dropped letters by topic. */
  readonly dropped = new Counts();
  /** Number of letters whose records were deleted. */
  deleted = 0;
  /** Errors by topic whose records could not be deleted. */
  readonly undeletable = new Map<string, string>();

  constructor(
    readonly cluster: DeadLetterCluster,
    readonly handled: HandledDeadLetters,
    readonly options: DropOptions,
  ) {}

  /**
   * @param ranges whole partitions, since records older than the filter decide what can be deleted
   * @throws KafkaError if the cluster is unavailable or the marks could not be written
   */
  async drop(ranges: DeadLetterRanges): Promise<void> {
    const prefixes = new Map<number, Prefix>();
    for (const { partition } of ranges.ranges) prefixes.set(partition, { end: Infinity, dropped: 0 });
    await scanDeadLetters(this.cluster, ranges, {
      signal: this.options.signal,
      onOthers: (records) => {
        for (const record of records) keep(record, prefixes);
      },
      onLetters: (letters) => this.#dropAll(letters, prefixes),
      onUnreadable: (records, reason) => {
        keep(records, prefixes);
        this.options.onUnreadable?.(records, reason);
      },
    });
    const { outbox, signal } = this.options;
    if (!outbox || signal?.aborted) return;
    await this.#delete(ranges, prefixes);
    await this.#forget(outbox, ranges.topic);
  }

  async #dropAll(letters: readonly DeadLetter[], prefixes: ReadonlyMap<number, Prefix>): Promise<void> {
    const { outbox } = this.options;
    for (const part of inParts(letters, PART)) {
      const chosen = part.filter((letter) => this.#matches(letter)).map(({ record }) => record);
      if (outbox) await markHandled(outbox, this.cluster.topics.names.handledLetters, chosen, 'dropped');
      for (const record of chosen) {
        this.dropped.add(record.topic);
        this.handled.handle(record, 'dropped');
      }
      for (const { record } of part)
        if (this.handled.dispositionOf(record) !== 'dropped') keep(record, prefixes);
        else count(record, prefixes);
    }
  }

  #matches(letter: DeadLetter): boolean {
    const disposition = this.handled.dispositionOf(letter.record);
    return disposition !== 'dropped' && matchesFilter(letter, disposition, this.options.filter);
  }

  async #delete({ topic, ranges }: DeadLetterRanges, prefixes: ReadonlyMap<number, Prefix>): Promise<void> {
    const before = ranges
      .map(({ partition, start, end }) => ({
        partition,
        start,
        offset: Math.min(end, prefixes.get(partition)?.end ?? start),
        letters: prefixes.get(partition)?.dropped ?? 0,
      }))
      .filter(({ letters, offset, start }) => letters > 0 && offset > start);
    if (before.length === 0) return;
    try {
      await this.cluster.admin.deleteRecords(topic, before);
      for (const { letters } of before) this.deleted += letters;
    } catch (cause) {
      if (!(cause instanceof KafkaError) || cause.kind === 'unavailable') throw cause;
      this.undeletable.set(topic, cause.message);
    }
  }

  /** Writes tombstones for the marks of letters that were deleted or have expired. */
  async #forget(outbox: Outbox, topic: string): Promise<void> {
    const marks = this.cluster.topics.names.handledLetters;
    for (const { partition, start } of await this.cluster.admin.offsets(topic)) {
      const gone = [...this.handled.before({ topic, partition }, start)];
      for (const part of inParts(gone, PART))
        await sendOrThrow(
          outbox,
          part.map((offset) => tombstoneOf(marks, { topic, partition }, offset)),
        );
    }
  }
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

function keep({ partition, offset }: Place, prefixes: ReadonlyMap<number, Prefix>): void {
  const prefix = prefixes.get(partition);
  if (prefix) prefix.end = Math.min(prefix.end, offset);
}

function count({ partition, offset }: Place, prefixes: ReadonlyMap<number, Prefix>): void {
  const prefix = prefixes.get(partition);
  if (prefix && offset < prefix.end) prefix.dropped++;
}
