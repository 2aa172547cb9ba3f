import {
  isOutage,
  type CommittedPosition,
  type KafkaConsumer,
  type Position,
  type TopicPartition,
} from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import { backoffMs, sleep, within, type Backoff } from '../../core/time.js';
import { CrashCount, ISOLATION_MS, MARK_AHEAD_RECORDS, parseMark } from './crash-count.js';
import type { PartitionLedger } from './ledger.js';

const BACKOFF: Backoff = { firstMs: 100, maxMs: 5_000 };

/** A partition as its positions are committed. */
export interface CommittedPartition extends TopicPartition {
  readonly ledger: Pick<
    PartitionLedger<unknown, unknown>,
    'begin' | 'committable' | 'committed' | 'next' | 'pending' | 'position'
  >;
  /** Set once another member may own it. */
  readonly revoked: boolean;
  /** Undefined until the partition is open. */
  crashes: CrashCount | undefined;
}

export interface CommitterOptions {
  readonly model: string;
  readonly commitIntervalMs: number;
  /** Limit for the last commit before partitions are given up, milliseconds. */
  readonly releaseTimeoutMs: number;
  /** Positions are committed together with the outcomes, by what publishes those. */
  readonly commitsWithOutcomes: boolean;
}

/** Dependencies of a committer. */
export interface CommitterParts {
  readonly consumer: Pick<KafkaConsumer, 'commit'>;
  /** The group's committed positions in the topic. */
  readonly readPositions: () => Promise<readonly CommittedPosition[]>;
  /** Partitions that are owned now. */
  readonly owned: () => Iterable<CommittedPartition>;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Owns what a group knows of the partitions of one consumer: opens them, commits their positions, releases them.
 * Positions carry crash marks, by which the next owner knows how this one ended.
 */
export class Committer {
  readonly #closed = new AbortController();
  readonly #opening = new Set<Promise<void>>();
  /** Partitions that are being released, or were: a commit that falls due must not mark them as served again. */
  readonly #released = new WeakSet<CommittedPartition>();
  /** Marks that were committed last. */
  readonly #marks = new WeakMap<CommittedPartition, string>();
  /** Partitions that were given up, as this node left them. */
  readonly #former = new Map<number, FormerPartition>();
  #reading: Promise<readonly CommittedPosition[]> | undefined;
  #committing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isolatedUntil = 0;
  #failures = 0;

  constructor(
    readonly options: CommitterOptions,
    readonly parts: CommitterParts,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.commit(), this.options.commitIntervalMs);
  }

  /** Forgets positions that were read for earlier assignments. */
  reassigned(): void {
    this.#reading = undefined;
  }

  /**
   * Reads the partition's crash mark and commits this owner's, before any of its records is computed. Retries until
   * that succeeds; a partition that is lost meanwhile stays closed.
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
        // Brokers that are away are announced by their client.
        if (attempt === 2 && !isOutage(error))
          this.parts.log.warn(
            { ...where, err: error },
            'could not commit a crash mark; records wait, retrying',
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
    const metadata = crashes.serving(first, first, this.#isolatedUntil);
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
      'an owner ended without releasing its partitions; computing their records in a child process',
    );
  }

  /** A mark that this node left because its last commit failed, in an outage or a rebalance, tells of no crash. */
  async #readPositions(): Promise<readonly CommittedPosition[]> {
    const positions = await this.parts.readPositions();
    return positions.map((position) => {
      const former = this.#former.get(position.partition);
      if (!former || former.mark !== position.metadata) return position;
      return { ...position, metadata: former.crashes.released(position.offset, this.#isolatedUntil) };
    });
  }

  /**
   * Tells whether a partition here is still suspect, since its last owner ended without releasing it: that owner may have
   * been about to compute records of the others as well, and senders spread what crashes over all of them.
   */
  #hasAbandoned(positions: readonly CommittedPosition[]): boolean {
    const marked = positions.filter(({ metadata }) => parseMark(metadata).owners > 0);
    const numbers = new Set(marked.map(({ partition }) => partition));
    return [...this.parts.owned()].some(({ partition, crashes, ledger }) =>
      crashes ? (ledger.position ?? 0) < crashes.suspectUntil : numbers.has(partition),
    );
  }

  /** Tells whether one of the records has crashed lately, on this node or on another. */
  get isIsolated(): boolean {
    return this.parts.now() < this.#isolatedUntil;
  }

  /** Makes all records suspects for a while, on every node that opens a partition: one of them did crash. */
  isolate(): void {
    if (!this.isIsolated) this.#logIsolation();
    this.#isolatedUntil = this.parts.now() + ISOLATION_MS;
  }

  /** Marks of other partitions tell of crashes on other nodes. */
  #learnIsolation(positions: readonly CommittedPosition[]): void {
    const latest = Math.max(0, ...positions.map(({ metadata }) => parseMark(metadata).isolatedUntil));
    const until = Math.min(latest, this.parts.now() + ISOLATION_MS);
    if (!this.isIsolated && until > this.parts.now()) this.#logIsolation();
    this.#isolatedUntil = Math.max(this.#isolatedUntil, until);
  }

  #logIsolation(): void {
    this.parts.log.error(
      { model: this.options.model, minutes: ISOLATION_MS / 60_000 },
      'a request crashed the process that computed it; computing all of them in a child process for a while',
    );
  }

  /** Metadata for a position that is committed by what publishes the outcomes. */
  markOf(partition: CommittedPartition, position: number): string {
    const { crashes, ledger } = partition;
    const mark = crashes?.serving(position, ledger.next ?? position, this.#isolatedUntil) ?? '';
    if (this.options.commitsWithOutcomes) this.#marks.set(partition, mark);
    return mark;
  }

  /** Commits what is new. A failure is logged; the positions go with the next commit. */
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

  /** Commits are retried twice a second: a failure is logged once, and an outage by the Kafka client. */
  #noteFailure(error: unknown): void {
    const isNews = !isOutage(error) && this.#failures++ === 0;
    const { model } = this.options;
    this.parts.log[isNews ? 'warn' : 'debug']({ model, err: error }, 'commit failed; retrying');
  }

  /** Commits partitions that are about to be given up, as released. Never throws. */
  async release(leaving: readonly TopicPartition[]): Promise<void> {
    const { releaseTimeoutMs, model } = this.options;
    const numbers = new Set(leaving.map(({ partition }) => partition));
    const tooLate = (): Error => new Error(`no commit within ${releaseTimeoutMs} ms`);
    const partitions = [...this.parts.owned()].filter(({ partition }) => numbers.has(partition));
    await within(releaseTimeoutMs, this.#release(partitions), tooLate).catch((error: unknown) => {
      this.parts.log.warn(
        { model, err: error },
        'last commit failed; answered records will be answered again',
      );
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

  /** While a transaction is under way it moves the position, and a commit beside it could move it back. */
  #releasedPosition(partition: CommittedPartition): DuePosition | undefined {
    const { ledger, crashes } = partition;
    const { position: offset } = ledger;
    if (!crashes || offset === undefined) return undefined;
    if (this.options.commitsWithOutcomes && ledger.pending > 0) return undefined;
    return { partition, offset, metadata: crashes.released(offset, this.#isolatedUntil) };
  }

  #servingPosition(partition: CommittedPartition): DuePosition | undefined {
    const { ledger, crashes } = partition;
    const { next, position: offset } = ledger;
    if (this.#released.has(partition)) return undefined;
    if (!crashes || next === undefined || offset === undefined) return undefined;
    if (ledger.committable === undefined && !crashes.needsMark(next)) return undefined;
    return { partition, offset, metadata: this.markOf(partition, offset) };
  }

  /** Opens no more partitions. */
  stopOpening(): void {
    this.#closed.abort();
  }

  close(): void {
    this.stopOpening();
    clearInterval(this.#timer);
  }
}

/** A partition as its last owner here left it. */
interface FormerPartition {
  readonly crashes: CrashCount;
  /** Committed last. */
  readonly mark: string;
}

interface DuePosition {
  readonly partition: CommittedPartition;
  readonly offset: number;
  readonly metadata: string;
}

function toPosition({ partition: { topic, partition }, offset, metadata }: DuePosition): Position {
  return { topic, partition, offset, metadata };
}
