import {
  isOutage,
  type CommittedPosition,
  type KafkaConsumer,
  type Position,
  type TopicPartition,
} from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import { backoffMs, sleep, within, type Backoff } from '../../core/time.js';
import { CrashCount, MARK_AHEAD_RECORDS, parseMark } from './crash-count.js';
import { Isolation } from './isolation.js';
import type { PartitionLedger } from './ledger.js';

const BACKOFF: Backoff = { firstMs: 100, maxMs: 5_000 };

/** A partition as the committer sees it. */
export interface CommittedPartition extends TopicPartition {
  readonly ledger: Pick<
    PartitionLedger<unknown, unknown>,
    'begin' | 'committable' | 'committed' | 'next' | 'pending' | 'position'
  >;
  /** True once another member may own it. */
  readonly revoked: boolean;
  /** Undefined until the partition is open. */
  crashes: CrashCount | undefined;
}

export interface CommitterOptions {
  readonly model: string;
  readonly commitIntervalMs: number;
  /** Time limit of the last commit before partitions are released, milliseconds. */
  readonly releaseTimeoutMs: number;
  /** True if the publisher of outcomes commits positions together with them. */
  readonly commitsWithOutcomes: boolean;
}

/** Dependencies of a committer. */
export interface CommitterParts {
  readonly consumer: Pick<KafkaConsumer, 'commit'>;
  /** Reads the group's committed positions in the topic. */
  readonly readPositions: () => Promise<readonly CommittedPosition[]>;
  /** Returns the partitions that are currently owned. */
  readonly owned: () => Iterable<CommittedPartition>;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Owns the committed positions of one consumer's partitions: opens partitions, commits their positions, releases them.
 * Positions carry crash marks, which show the next owner how this one ended.
 */
export class Committer {
  readonly #isolation: Isolation;
  readonly #closed = new AbortController();
  readonly #opening = new Set<Promise<void>>();
  /** Partitions released, or being released: a later commit must not mark them as served again. */
  readonly #released = new WeakSet<CommittedPartition>();
  /** Marks of the last commit. */
  readonly #marks = new WeakMap<CommittedPartition, string>();
  /** Released partitions, as this node left them. */
  readonly #former = new Map<number, FormerPartition>();
  #reading: Promise<readonly CommittedPosition[]> | undefined;
  #committing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(
    readonly options: CommitterOptions,
    readonly parts: CommitterParts,
  ) {
    this.#isolation = new Isolation(options.model, parts.log, parts.now);
  }

  start(): void {
    this.#timer = setInterval(() => void this.commit(), this.options.commitIntervalMs);
  }

  /** Discards positions that were read for earlier assignments. */
  reassigned(): void {
    this.#reading = undefined;
  }

  /**
   * Reads the partition's crash mark and commits this owner's before any record is computed. Retries until that
   * succeeds; a partition that is revoked meanwhile stays closed.
   * @param first the offset of the first record that arrived
   * @param endOffset of the partition
   */
  open(partition: CommittedPartition, first: number, endOffset: number): Promise<void> {
    const opening = this.#open(partition, first, endOffset).finally(() => this.#opening.delete(opening));
    this.#opening.add(opening);
    return opening;
  }

  async #open(partition: CommittedPartition, first: number, endOffset: number): Promise<void> {
    for (let attempt = 1; !partition.revoked && !this.#closed.signal.aborted; attempt++) {
      try {
        return await this.#openOnce(partition, first, endOffset);
      } catch (error) {
        this.#reading = undefined;
        const { topic, partition: number } = partition;
        const where = { model: this.options.model, topic, partition: number };
        // The Kafka client logs outages.
        if (attempt === 2 && !isOutage(error))
          this.parts.log.warn(
            { ...where, err: error },
            'crash mark could not be committed; retrying before any record is computed',
          );
        await sleep(backoffMs(BACKOFF, attempt), this.#closed.signal);
      }
    }
  }

  async #openOnce(partition: CommittedPartition, first: number, endOffset: number): Promise<void> {
    const { topic, partition: number, ledger } = partition;
    this.#reading ??= this.#readPositions();
    const positions = await this.#reading;
    this.#learnIsolation(positions);
    const committed = positions.find((found) => found.partition === number);
    const unmarkedUntil = this.#hasAbandoned(positions) ? first + MARK_AHEAD_RECORDS : 0;
    const crashes = CrashCount.takeOver(committed?.metadata ?? '', endOffset, unmarkedUntil);
    const metadata = crashes.serving(first, first, this.#isolation.until);
    await this.parts.consumer.commit([{ topic, partition: number, offset: first, metadata }]);
    this.#marks.set(partition, metadata);
    ledger.begin(first);
    partition.crashes = crashes;
    if (!crashes.isSuspect(first)) return;
    const { owners } = crashes.inherited;
    this.parts.log.warn(
      {
        model: this.options.model,
        topic,
        partition: number,
        owners,
        from: first,
        until: crashes.suspectUntil,
      },
      'an owner ended without releasing its partitions; computing suspects in a child process',
    );
  }

  /** Recognizes a mark that this node left because its last commit failed, in an outage or a rebalance: not a crash. */
  async #readPositions(): Promise<readonly CommittedPosition[]> {
    const positions = await this.parts.readPositions();
    return positions.map((position) => {
      const former = this.#former.get(position.partition);
      if (!former || former.mark !== position.metadata) return position;
      return { ...position, metadata: former.crashes.released(position.offset, this.#isolation.until) };
    });
  }

  /**
   * Returns true while a partition here is suspect because its last owner ended without releasing it: that owner may
   * have computed records of the others as well, and senders spread crashing requests over all partitions.
   */
  #hasAbandoned(positions: readonly CommittedPosition[]): boolean {
    const marked = positions.filter(({ metadata }) => parseMark(metadata).owners > 0);
    const numbers = new Set(marked.map(({ partition }) => partition));
    return [...this.parts.owned()].some(({ partition, crashes, ledger }) =>
      crashes ? (ledger.position ?? 0) < crashes.suspectUntil : numbers.has(partition),
    );
  }

  /** True for a while after a request has crashed its process, on this node or on another. */
  get isIsolated(): boolean {
    return this.#isolation.isActive;
  }

  /** Makes all records suspects for a while, on every node that opens a partition, because one of them crashed. */
  isolate(): void {
    this.#isolation.begin();
  }

  /** Learns of crashes on other nodes from the marks of their partitions. */
  #learnIsolation(positions: readonly CommittedPosition[]): void {
    this.#isolation.extendTo(
      Math.max(0, ...positions.map(({ metadata }) => parseMark(metadata).isolatedUntil)),
    );
  }

  /** Returns the metadata for a position that the publisher of outcomes commits. */
  markOf(partition: CommittedPartition, position: number): string {
    const { crashes, ledger } = partition;
    const mark = crashes?.serving(position, ledger.next ?? position, this.#isolation.until) ?? '';
    if (this.options.commitsWithOutcomes) this.#marks.set(partition, mark);
    return mark;
  }

  /** Commits positions that have moved. After a failure they are committed with the next ones. */
  commit(): Promise<void> {
    if (this.options.commitsWithOutcomes) return Promise.resolve();
    this.#committing ??= this.#commit().finally(() => (this.#committing = undefined));
    return this.#committing;
  }

  async #commit(): Promise<void> {
    const due = [...this.parts.owned()].flatMap((partition) => this.#servingPosition(partition) ?? []);
    if (due.length === 0) return;
    try {
      await this.#commitDue(due);
      this.#failures = 0;
    } catch (error) {
      this.#noteFailure(error);
    }
  }

  /** Logs a failure once, although commits are retried twice a second; the Kafka client logs outages. */
  #noteFailure(error: unknown): void {
    const isNews = !isOutage(error) && this.#failures++ === 0;
    const { model } = this.options;
    this.parts.log[isNews ? 'warn' : 'debug']({ model, err: error }, 'commit failed; retrying');
  }

  /** Commits the final positions of partitions without a crash mark. Never throws. */
  async release(leaving: readonly TopicPartition[]): Promise<void> {
    const { releaseTimeoutMs, model } = this.options;
    const numbers = new Set(leaving.map(({ partition }) => partition));
    const tooLate = (): Error => new Error(`no commit within ${releaseTimeoutMs} ms`);
    const partitions = [...this.parts.owned()].filter(({ partition }) => numbers.has(partition));
    await within(releaseTimeoutMs, this.#release(partitions), tooLate).catch((error: unknown) => {
      this.parts.log.warn({ model, err: error }, 'final commit failed; some records will be redelivered');
    });
    for (const partition of partitions) this.#remember(partition);
  }

  async #release(partitions: readonly CommittedPartition[]): Promise<void> {
    for (const partition of partitions) this.#released.add(partition);
    await Promise.all([...this.#opening]);
    await this.#committing;
    const due = partitions.flatMap((partition) => this.#releasedPosition(partition) ?? []);
    if (due.length > 0) await this.#commitDue(due);
  }

  async #commitDue(due: readonly DuePosition[]): Promise<void> {
    await this.parts.consumer.commit(due.map(toPosition));
    for (const { partition, offset, metadata } of due) {
      this.#marks.set(partition, metadata);
      partition.ledger.committed(offset);
    }
  }

  #remember(partition: CommittedPartition): void {
    const { partition: number, crashes } = partition;
    const mark = this.#marks.get(partition);
    if (crashes && mark !== undefined) this.#former.set(number, { crashes, mark });
  }

  /** Skips partitions with a transaction in flight: it moves the position, and a commit could move it back. */
  #releasedPosition(partition: CommittedPartition): DuePosition | undefined {
    const { ledger, crashes } = partition;
    const { position: offset } = ledger;
    if (!crashes || offset === undefined) return undefined;
    if (this.options.commitsWithOutcomes && ledger.pending > 0) return undefined;
    return { partition, offset, metadata: crashes.released(offset, this.#isolation.until) };
  }

  #servingPosition(partition: CommittedPartition): DuePosition | undefined {
    const { ledger, crashes } = partition;
    const { next, position: offset } = ledger;
    if (this.#released.has(partition)) return undefined;
    if (!crashes || next === undefined || offset === undefined) return undefined;
    if (ledger.committable === undefined && !crashes.needsMark(next)) return undefined;
    return { partition, offset, metadata: this.markOf(partition, offset) };
  }

  /** Stops opening partitions. */
  stopOpening(): void {
    this.#closed.abort();
  }

  close(): void {
    this.stopOpening();
    clearInterval(this.#timer);
  }
}

/** A partition as this node left it. */
interface FormerPartition {
  readonly crashes: CrashCount;
  /** Position and mark of the last commit. */
  readonly mark: string;
}

type DuePosition = Pick<Position, 'offset'> & { partition: CommittedPartition; metadata: string };

function toPosition({ partition: { topic, partition }, offset, metadata }: DuePosition): Position {
  return { topic, partition, offset, metadata };
}
