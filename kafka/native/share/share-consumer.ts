import { sleep, within } from '../../../core/time.js';
import type { Logger } from '../../../core/log.js';
import { KafkaError, type PartitionOffset, type TopicPartition } from '../../port.js';
import type {
  Acknowledgement,
  ShareConsumer,
  ShareConsumerOptions,
  ShareHandlers,
} from '../../share-port.js';
import type { Cluster } from '../transport/cluster.js';
import { toKafkaError } from '../transport/errors.js';
import { retry } from '../transport/retry.js';
import { ShareFetcher } from './share-fetcher.js';
import { checkShareGroups, configureShareGroup } from './share-group-support.js';
import { ShareMembership } from './share-membership.js';

const START_LIMIT_MS = 60_000;
const LEAVE_LIMIT_MS = 3_000;
const ASSIGNMENT_POLL_MS = 20;

/** A share consumer: the group assigns partitions, the fetcher acquires their records, this class connects the two. */
export class NativeShareConsumer implements ShareConsumer {
  readonly #closing = new AbortController();
  readonly #membership: ShareMembership;
  #fetcher: ShareFetcher | undefined;
  #handlers: ShareHandlers | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    readonly cluster: Cluster,
    readonly options: ShareConsumerOptions,
    readonly log: Logger,
  ) {
    this.#membership = new ShareMembership(cluster, {
      ...options,
      onAssigned: (assignment) => this.#fetcher?.assign(assignment),
      onRefused: (error) => this.#crash(error),
    });
  }

  get assigned(): readonly TopicPartition[] {
    return this.#fetcher?.assigned ?? [];
  }

  async start(handlers: ShareHandlers): Promise<void> {
    const { group } = this.options;
    const late = (): KafkaError =>
      new KafkaError(
        'unavailable',
        `share group ${group}: no partition assigned within ${START_LIMIT_MS} ms`,
      );
    try {
      await within(START_LIMIT_MS, this.#begin(handlers), late);
    } catch (error) {
      await this.close();
      throw toKafkaError(error);
    }
  }

  async #begin(handlers: ShareHandlers): Promise<void> {
    const { cluster, options, log } = this;
    const { signal } = this.#closing;
    this.#handlers = handlers;
    await cluster.connect();
    const problem = await retry(() => checkShareGroups(cluster), { signal });
    if (problem !== undefined) throw new KafkaError('other', problem);
    await retry(() => cluster.topic(options.topic), { signal });
    await retry(() => configureShareGroup(cluster, options.group), { signal });
    const { memberId } = this.#membership;
    this.#fetcher = new ShareFetcher(cluster, { ...options, memberId }, handlers, log);
    await this.#membership.join();
    while (this.assigned.length === 0 && !signal.aborted) await sleep(ASSIGNMENT_POLL_MS, signal);
    if (signal.aborted) throw new KafkaError('unavailable', 'closed');
  }

  #crash(error: KafkaError): void {
    if (this.#closing.signal.aborted) return;
    void this.close();
    this.#handlers?.onCrash(error);
  }

  acknowledge(record: PartitionOffset, how: Acknowledgement): void {
    this.#fetcher?.acknowledge(record, how);
  }

  wake(): void {
    this.#fetcher?.wake();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#fetcher?.close();
    const late = (): Error => new Error('leaving the group timed out');
    try {
      await within(LEAVE_LIMIT_MS, this.#membership.leave(), late);
    } catch {
      // An unavailable broker removes the member itself after the session timeout.
    } finally {
      this.cluster.close();
    }
  }
}
