import { sleep, within } from '../../../core/time.js';
import type { Logger } from '../../../core/log.js';
import type { KafkaError, PartitionOffset, TopicPartition } from '../../port.js';
import type { Acknowledgement, ShareHandlers } from '../../share-port.js';
import { retryDelayMs } from '../../errors/retry-delay.js';
import type { ReadLimits } from '../../record-batches/read-limits.js';
import type { OwnRequest } from '../protocol/send.js';
import type { ShareFetchAnswer } from '../protocol/share-fetch.js';
import type { ShareTopicAssignment } from '../protocol/share-group.js';
import type { Cluster } from '../transport/cluster.js';
import type { Connections } from '../transport/connections.js';
import { toKafkaError } from '../transport/errors.js';
import { FetchWindow, type FetchReport } from './fetch-window.js';
import { ShareDelivery } from './share-delivery.js';
import type { Settlement } from './share-partition.js';
import { SharePartitions } from './share-partitions.js';
import { ShareReader, type ReaderContext } from './share-reader.js';

/** Time for the fetches in flight and the last acknowledgements when the fetcher closes. */
const CLOSE_LIMIT_MS = 3_000;

export interface ShareFetcherOptions {
  readonly group: string;
  readonly memberId: string;
  readonly topic: string;
  readonly fetchMaxBytes: number;
  readonly readLimits?: ReadLimits | undefined;
}

/** Acquires and delivers the records of the assigned partitions, with one session per broker that leads any. */
export class ShareFetcher implements ReaderContext {
  readonly #partitions = new SharePartitions();
  readonly #readers = new Map<number, Promise<void>>();
  readonly #ending = new AbortController();
  readonly #connections: Connections;
  #topicId = '';
  #isClosing = false;
  /** Records asked for by fetches in flight. */
  #reserved = 0;
  readonly #window = new FetchWindow();
  readonly #delivery: ShareDelivery;
  #relocating: Promise<void> | undefined;
  #resolveChanged: () => void = () => undefined;
  /** Undefined while nobody waits. */
  #changed: Promise<void> | undefined;

  constructor(
    readonly cluster: Cluster,
    readonly options: ShareFetcherOptions,
    readonly handlers: ShareHandlers,
    readonly log: Logger,
  ) {
    this.#connections = cluster.newConnections();
    this.#delivery = new ShareDelivery(options, {
      handlers,
      log,
      isClosing: () => this.#isClosing,
      settle: (partition, offset, type) => this.#settle(partition, offset, type),
      onDelivered: () => this.wake(),
      onError: (error) => this.#crash(error),
    });
  }

  get group(): string {
    return this.options.group;
  }

  get memberId(): string {
    return this.options.memberId;
  }

  get maxBytes(): number {
    return this.options.fetchMaxBytes;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  get topicId(): string {
    return this.#topicId;
  }

  get changed(): Promise<void> {
    this.#changed ??= new Promise((resolve) => (this.#resolveChanged = resolve));
    return this.#changed;
  }

  get askAgainMs(): number {
    return this.#window.askAgainMs;
  }

  get assigned(): TopicPartition[] {
    const { topic } = this.options;
    return this.#partitions.assigned.map((partition) => ({ topic, partition }));
  }

  /** Applies an assignment of the group. The topic of the newest id counts, if it was recreated. */
  assign(assignment: readonly ShareTopicAssignment[]): void {
    const found = assignment.find(({ topicId }) => topicId !== this.#topicId) ?? assignment[0];
    if (found && found.topicId !== this.#topicId) this.#recognize(found.topicId);
    this.#partitions.assign(found?.partitions ?? []);
    void this.relocate();
  }

  #recognize(topicId: string): void {
    if (this.#topicId !== '') {
      this.log.warn({ topic: this.options.topic }, 'topic was recreated; reading from the beginning');
      this.lost(this.#partitions.clear(), 'the topic was recreated');
    }
    this.#topicId = topicId;
  }

  /** Looks up leaders until every assigned partition has one. */
  relocate(): Promise<void> {
    this.#relocating ??= this.#relocate().finally(() => (this.#relocating = undefined));
    return this.#relocating;
  }

  async #relocate(): Promise<void> {
    for (let attempt = 1; !this.#ending.signal.aborted && !this.#isClosing; attempt++) {
      try {
        this.#locate(await this.cluster.refresh(this.options.topic));
        if (!this.#partitions.isLeaderless) return;
      } catch (cause) {
        const error = toKafkaError(cause);
        if (!error.retriable && error.kind !== 'unknown-topic') return this.#crash(error);
      }
      await sleep(retryDelayMs(attempt), this.#ending.signal);
    }
  }

  #locate({ leaders }: { readonly leaders: readonly (number | undefined)[] }): void {
    for (const one of this.#partitions) {
      const leader = leaders[one.partition];
      if (one.leader !== undefined && leader !== one.leader) this.lost(one.lose(), 'the leader moved');
      one.leader = leader;
    }
    for (const { leader } of this.#partitions) if (leader !== undefined) this.#startReader(leader);
    this.wake();
  }

  #startReader(leader: number): void {
    if (this.#readers.has(leader) || this.#isClosing) return;
    const run = new ShareReader(leader, this)
      .run()
      .catch((error: unknown) => this.#crash(toKafkaError(error)))
      .finally(() => {
        this.#readers.delete(leader);
        // It may lead a partition again by now.
        if (this.ledBy(leader).length > 0) this.#startReader(leader);
      });
    this.#readers.set(leader, run);
  }

  #crash(error: KafkaError): void {
    if (this.#ending.signal.aborted || this.#isClosing) return;
    this.end();
    this.handlers.onCrash(error);
  }

  ledBy(broker: number): ReturnType<SharePartitions['ledBy']> {
    return this.#partitions.ledBy(broker);
  }

  reserve(): number {
    if (this.#isClosing) return 0;
    const taken = this.#reserved + this.#delivery.undelivered;
    const room = Math.min(this.#window.records, this.handlers.room(this.#window.aheadMs) - taken);
    if (room <= 0) return 0;
    this.#reserved += room;
    return room;
  }

  unreserve(records: number): void {
    this.#reserved -= records;
    this.wake();
  }

  send<R>(broker: number, request: OwnRequest<R>, limitMs: number): Promise<R> {
    return this.#connections.send(this.cluster.broker(broker), request, limitMs);
  }

  deliver({ partitions }: ShareFetchAnswer): void {
    this.#delivery.deliver(partitions);
  }

  acknowledge({ partition, offset }: PartitionOffset, how: Acknowledgement): void {
    this.#settle(partition, offset, how);
    this.wake();
  }

  /** A record that is not held any more is delivered again; that was reported when its lock was lost. */
  #settle(partition: number, offset: number, type: Settlement): void {
    this.#partitions.get(partition)?.settle(offset, type, performance.now());
  }

  lost(records: number, reason: string): void {
    if (records === 0) return;
    this.log.warn(
      { topic: this.options.topic, records, reason },
      'locks were lost; their records are delivered again',
    );
    this.handlers.onLost?.(records, reason);
  }

  fetched(fetch: FetchReport): void {
    this.#window.observe(fetch);
  }

  failed(broker: number, error: KafkaError): void {
    this.cluster.outage.failed(error, fetchFrom(broker));
  }

  worked(broker: number): void {
    this.cluster.outage.worked(fetchFrom(broker));
  }

  wake(): void {
    if (!this.#changed) return;
    this.#changed = undefined;
    this.#resolveChanged();
  }

  /** Waits for the fetches in flight, sends the last acknowledgements and releases the rest. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.wake();
    const ended = Promise.all(this.#readers.values());
    const late = (): Error => new Error('the last acknowledgements were not sent in time');
    await within(CLOSE_LIMIT_MS, ended, late).catch((error: unknown) => {
      const { topic } = this.options;
      this.log.warn({ topic, err: error }, 'share session not closed; its records are delivered again');
    });
    this.end();
  }

  /** Ends at once; the broker releases everything that is held. */
  end(): void {
    this.#isClosing = true;
    this.#ending.abort();
    this.#connections.close();
    this.wake();
  }
}

const fetchFrom = (broker: number): string => `broker ${broker}`;
