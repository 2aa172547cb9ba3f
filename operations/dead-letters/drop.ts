import type { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type UnreadableRecords } from '../../kafka/port.js';
import { matchesFilter, type DeadLetterFilter } from './filter.js';
import { forgetting, type HandledDeadLetters } from './handled.js';
import { scanDeadLetters, type DeadLetterCluster, type DeadLetterRanges } from './scan.js';
import type { DeadLetter } from './dead-letter.js';
import { inParts, markHandled, sendOrThrow } from './send.js';
import { Counts } from './counts.js';

const PART = 1_000;

export interface DropOptions {
  readonly filter: DeadLetterFilter;
  /** Undefined: nothing is dropped, only counted. */
  readonly outbox: Outbox | undefined;
  readonly signal?: AbortSignal | undefined;
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

/** What stands before the first letter of a partition that stays. */
interface Beginning {
  /** Offset of that letter; Infinity while none was found. */
  end: number;
  dropped: number;
}

/**
 * Drops letters: the cluster remembers them as dropped, which hides them. Records can only be deleted from the beginning
 * of a partition on, so these are deleted once all before them are dropped, too.
 */
export class Drop {
  /** Dropped letters by their topics. */
  readonly dropped = new Counts();
  /** Letters whose records are gone. */
  deleted = 0;
  /** Why the records of a topic could not be deleted. */
  readonly undeletable = new Map<string, string>();

  constructor(
    readonly cluster: DeadLetterCluster,
    readonly handled: HandledDeadLetters,
    readonly options: DropOptions,
  ) {}

  /**
   * @param ranges whole partitions: what is older than the filter wants decides about deletion
   * @throws KafkaError when the cluster can't be reached, or does not remember what was dropped
   */
  async drop(ranges: DeadLetterRanges): Promise<void> {
    const beginnings = new Map<number, Beginning>();
    for (const { partition } of ranges.ranges) beginnings.set(partition, { end: Infinity, dropped: 0 });
    await scanDeadLetters(this.cluster, ranges, {
      signal: this.options.signal,
      onOthers: (records) => {
        for (const record of records) keep(record, beginnings);
      },
      onLetters: (letters) => this.#dropAll(letters, beginnings),
      onUnreadable: (records, reason) => {
        keep(records, beginnings);
        this.options.onUnreadable?.(records, reason);
      },
    });
    const { outbox, signal } = this.options;
    if (!outbox || signal?.aborted) return;
    await this.#delete(ranges, beginnings);
    await this.#forget(outbox, ranges.topic);
  }

  async #dropAll(letters: readonly DeadLetter[], beginnings: ReadonlyMap<number, Beginning>): Promise<void> {
    const { outbox } = this.options;
    for (const part of inParts(letters, PART)) {
      const chosen = part.filter((letter) => this.#isMeant(letter)).map(({ record }) => record);
      if (outbox) await markHandled(outbox, this.cluster.topics.names.handledLetters, chosen, 'dropped');
      for (const record of chosen) {
        this.dropped.add(record.topic);
        this.handled.handle(record, 'dropped');
      }
      for (const { record } of part)
        if (this.handled.dispositionOf(record) !== 'dropped') keep(record, beginnings);
        else count(record, beginnings);
    }
  }

  #isMeant(letter: DeadLetter): boolean {
    const handling = this.handled.dispositionOf(letter.record);
    return handling !== 'dropped' && matchesFilter(letter, handling, this.options.filter);
  }

  async #delete(
    { topic, ranges }: DeadLetterRanges,
    beginnings: ReadonlyMap<number, Beginning>,
  ): Promise<void> {
    const before = ranges
      .map(({ partition, start, end }) => ({
        partition,
        start,
        offset: Math.min(end, beginnings.get(partition)?.end ?? start),
        letters: beginnings.get(partition)?.dropped ?? 0,
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

  /** What was remembered of letters that are gone, deleted here or expired, is remembered no more. */
  async #forget(outbox: Outbox, topic: string): Promise<void> {
    const marks = this.cluster.topics.names.handledLetters;
    for (const { partition, start } of await this.cluster.admin.offsets(topic)) {
      const gone = [...this.handled.before({ topic, partition }, start)];
      for (const part of inParts(gone, PART))
        await sendOrThrow(
          outbox,
          part.map((offset) => forgetting(marks, { topic, partition }, offset)),
        );
    }
  }
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

function keep({ partition, offset }: Place, beginnings: ReadonlyMap<number, Beginning>): void {
  const beginning = beginnings.get(partition);
  if (beginning) beginning.end = Math.min(beginning.end, offset);
}

function count({ partition, offset }: Place, beginnings: ReadonlyMap<number, Beginning>): void {
  const beginning = beginnings.get(partition);
  if (beginning && offset < beginning.end) beginning.dropped++;
}
