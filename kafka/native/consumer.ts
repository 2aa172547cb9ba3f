import { sleep, within } from '../../core/time.js';
import type { Logger } from '../../core/log.js';
import {
  KafkaError,
  type ConsumerHandlers,
  type ConsumerOptions,
  type GroupMembership,
  type KafkaConsumer,
  type PartitionOffset,
  type Position,
  type TopicPartition,
} from '../port.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import { ClassicGroup } from './group/classic-group.js';
import { EARLIEST, LATEST, type Cluster, type TopicMetadata } from './transport/cluster.js';
import { ConsumerGroup } from './group/consumer-group.js';
import { toKafkaError } from './transport/errors.js';
import { Fetcher } from './fetcher.js';
import { FixedAssignment } from './group/fixed-assignment.js';
import type { Group } from './group/group.js';
import { retry } from './transport/retry.js';

/** Parts of a consumer that can fail independently in an outage. */
const JOIN = 'join';
const COMMIT = 'commit';
const START_LIMIT_MS = 60_000;
/** Timeout for leaving the group. */
const CLOSE_LIMIT_MS = 3_000;
/** A moving coordinator is found again quickly; if it stays unavailable, the caller of `commit` decides. */
const COMMIT_TRIES = 4;
/** A new topic is not known to every broker at once. */
const TRIES_FOR_UNKNOWN_TOPIC = 4;

/**
 * A consumer: the group assigns partitions, the fetcher reads them, and this class connects the two. With
 * `partitions`, the group only stores offsets.
 */
export class NativeConsumer implements KafkaConsumer {
  readonly #group: Group;
  readonly #closing = new AbortController();
  #fetcher: Fetcher | undefined;
  #assigned: readonly number[] = [];
  /** True if partitions were assigned before: their topic may then be missing for a while. */
  #joined = false;

  constructor(
    readonly cluster: Cluster,
    readonly options: ConsumerOptions,
    readonly log: Logger,
  ) {
    if (options.partitions) this.#group = new FixedAssignment(cluster, options.group, options.partitions);
    else if (options.groupProtocol === 'consumer') this.#group = new ConsumerGroup(cluster, options);
    else this.#group = new ClassicGroup(cluster, options, log);
  }

  async start(handlers: ConsumerHandlers): Promise<void> {
    const { group } = this.options;
    const late = (): KafkaError =>
      new KafkaError('unavailable', `group ${group}: not joined within ${START_LIMIT_MS} ms`);
    try {
      await within(START_LIMIT_MS, this.#begin(handlers), late);
    } catch (error) {
      await this.close();
      throw toKafkaError(error);
    }
  }

  async #begin(handlers: ConsumerHandlers): Promise<void> {
    await this.cluster.connect();
    await this.#findTopic();
    this.#fetcher = new Fetcher(
      this.cluster,
      this.options,
      {
        onRecords: handlers.onRecords.bind(handlers),
        onPosition: (position) => handlers.onPosition?.(position),
        onUnreadable: (position, reason) => handlers.onUnreadable?.(position, reason),
        onCrash: (error) => this.#crash(error, handlers),
        onTopic: ({ leaders }) => this.#group.notePartitionCount(leaders.length),
      },
      this.log,
    );
    await this.#joinWithRetries(handlers);
    if (this.#closing.signal.aborted) throw new KafkaError('unavailable', 'closed');
    this.#serve(handlers).catch((error: unknown) => this.#crash(toKafkaError(error), handlers));
  }

  async #findTopic(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await retry(() => this.cluster.topic(this.options.topic), { signal: this.#closing.signal });
        return;
      } catch (error) {
        if (toKafkaError(error).kind !== 'unknown-topic' || attempt === TRIES_FOR_UNKNOWN_TOPIC) throw error;
        await sleep(retryDelayMs(attempt), this.#closing.signal);
      }
    }
  }

  /** Follows one assignment after another until the consumer is closed. */
  async #serve(handlers: ConsumerHandlers): Promise<void> {
    for (;;) {
      const kept = await this.#group.over();
      if (this.#closing.signal.aborted) return;
      await this.#revokeExcept(kept, handlers);
      await this.#joinWithRetries(handlers);
    }
  }

  async #revokeExcept(kept: readonly number[], handlers: ConsumerHandlers): Promise<void> {
    const revoked = this.#assigned.filter((partition) => !kept.includes(partition));
    this.#assigned = kept;
    this.#fetcher?.drop(revoked);
    if (revoked.length === 0) return;
    const done = handlers.onRevoked(this.#named(revoked));
    this.#fetcher?.pauseUntil(done);
    await done;
  }

  /** Joins, retrying even if the coordinator, or later the topic, is unavailable for long. */
  async #joinWithRetries(handlers: ConsumerHandlers): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#joinAndAssign(handlers);
        this.cluster.outage.worked(JOIN);
        return;
      } catch (cause) {
        const error = toKafkaError(cause);
        if (!canRejoin(error) || (error.kind === 'unknown-topic' && !this.#joined)) throw error;
        if (!signal.aborted) this.cluster.outage.failed(error, JOIN);
        await sleep(retryDelayMs(attempt), signal);
      }
    }
  }

  async #joinAndAssign(handlers: ConsumerHandlers): Promise<void> {
    const { partitions, isNew } = await this.#group.join();
    await this.#revokeExcept(isNew ? [] : this.#assigned.filter((one) => partitions.includes(one)), handlers);
    const added = partitions.filter((partition) => !this.#assigned.includes(partition));
    const { topic, positions } = await retry(() => this.#positions(added), { signal: this.#closing.signal });
    if (this.#closing.signal.aborted) return;
    this.#assigned = partitions;
    // Records whose commit failed are redelivered to the next owners.
    this.cluster.outage.worked(COMMIT);
    this.#joined = true;
    handlers.onAssigned(this.#named(added));
    this.#fetcher?.add(topic, positions);
  }

  /** Looks up the start positions: the committed offset, or `from` if there is none. */
  async #positions(
    partitions: readonly number[],
  ): Promise<{ topic: TopicMetadata; positions: Map<number, number> }> {
    const { topic: name, group, from, partitions: fixed, offsets } = this.options;
    const topic = await this.cluster.refresh(name);
    const positions = new Map<number, number>();
    if (partitions.length === 0) return { topic, positions };
    const committed = fixed
      ? new Map(offsets)
      : positionsByPartition(await this.cluster.committed(group, name, partitions));
    const open = partitions.filter((partition) => (committed.get(partition) ?? -1) < 0);
    const begin = await this.cluster.listOffsets(name, open, from === 'latest' ? LATEST : EARLIEST);
    for (const partition of partitions)
      positions.set(partition, begin.get(partition) ?? committed.get(partition) ?? 0);
    return { topic, positions };
  }

  #named(partitions: readonly number[]): TopicPartition[] {
    const { topic } = this.options;
    return partitions.map((partition) => ({ topic, partition }));
  }

  #crash(error: KafkaError, handlers: ConsumerHandlers): void {
    if (this.#closing.signal.aborted) return;
    void this.close();
    handlers.onCrash(error);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#fetcher?.pause(numbers(partitions), true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#fetcher?.pause(numbers(partitions), false);
  }

  async commit(positions: readonly Position[]): Promise<void> {
    try {
      await retry(() => this.#group.commit(positions), {
        tries: COMMIT_TRIES,
        signal: this.#closing.signal,
      });
      this.cluster.outage.worked(COMMIT);
    } catch (cause) {
      const error = toKafkaError(cause);
      if (error.kind === 'unavailable' && !this.#closing.signal.aborted)
        this.cluster.outage.failed(error, COMMIT);
      throw error;
    }
  }

  membership(): GroupMembership {
    return this.#group.membership();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#fetcher?.close();
    try {
      await within(CLOSE_LIMIT_MS, this.#group.leave(), () => new Error('leaving the group timed out'));
    } catch {
      // An unavailable broker removes the member itself after the session timeout.
    } finally {
      this.cluster.close();
    }
  }
}

function numbers(partitions: readonly TopicPartition[]): number[] {
  return partitions.map(({ partition }) => partition);
}

/** Returns true if the member can rejoin its group. */
function canRejoin({ kind, retriable }: KafkaError): boolean {
  return retriable || kind === 'rebalanced' || kind === 'unknown-topic';
}

function positionsByPartition(committed: readonly PartitionOffset[]): Map<number, number> {
  return new Map(committed.map(({ partition, offset }) => [partition, offset]));
}
