import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../../core/log.js';
import { SerialQueue } from '../../../core/serial.js';
import type { KafkaError } from '../../port.js';
import type { ReadLimits } from '../../record-batches/read-limits.js';
import type { ShareHandlers } from '../../share-port.js';
import { acquiredIn, type SharedPartition } from '../protocol/share-fetch.js';
import { toKafkaError } from '../transport/errors.js';
import { readAcquired, type AcquiredChunk } from './read-acquired.js';
import type { Settlement } from './share-partition.js';

export interface ShareDeliveryOptions {
  readonly topic: string;
  readonly readLimits?: ReadLimits | undefined;
}

export interface ShareDeliveryParts {
  readonly handlers: Pick<ShareHandlers, 'onRecords' | 'onUnreadable'>;
  readonly log: Logger;
  readonly isClosing: () => boolean;
  readonly settle: (partition: number, offset: number, type: Settlement) => void;
  readonly onDelivered: () => void;
  readonly onError: (error: KafkaError) => void;
}

/** Delivers acquired records chunk by chunk, as capacity allows; those that come while closing are released. */
export class ShareDelivery {
  readonly #turns = new SerialQueue();
  #undelivered = 0;

  constructor(
    readonly options: ShareDeliveryOptions,
    readonly parts: ShareDeliveryParts,
  ) {}

  /** Records that are acquired and not delivered yet. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /** Delivers in the next turn, so that the next fetch is sent before. */
  deliver(partitions: readonly SharedPartition[]): void {
    const records = partitions.reduce((sum, one) => sum + acquiredIn(one), 0);
    if (records === 0) return;
    this.#undelivered += records;
    this.#turns
      .run(() => this.#deliver(partitions))
      .catch((error: unknown) => this.parts.onError(toKafkaError(error)))
      .finally(() => {
        this.#undelivered -= records;
        this.parts.onDelivered();
      })
      .catch(() => undefined);
  }

  async #deliver(partitions: readonly SharedPartition[]): Promise<void> {
    await setImmediate();
    const { topic, readLimits } = this.options;
    for (const acquired of partitions) {
      const { partition } = acquired;
      for (const chunk of readAcquired(acquired, { topic, partition }, readLimits)) {
        this.#settleAll(partition, chunk.gaps, 'gap');
        this.#settleAll(partition, chunk.damaged, 'release');
        const taken = this.#deliverChunk(partition, chunk);
        if (taken) await taken;
      }
    }
  }

  #settleAll(partition: number, offsets: readonly number[], type: Settlement): void {
    for (const offset of offsets) this.parts.settle(partition, offset, type);
  }

  #deliverChunk(partition: number, { records, unreadable }: AcquiredChunk): Promise<unknown> | void {
    if (this.parts.isClosing()) {
      const offsets = records.map(({ record }) => record.offset);
      return this.#settleAll(partition, [...offsets, ...(unreadable?.offsets ?? [])], 'release');
    }
    const taken = records.length > 0 ? this.parts.handlers.onRecords(records) : undefined;
    if (!unreadable) return taken;
    return Promise.all([taken, this.#reportUnreadable(partition, unreadable)]);
  }

  async #reportUnreadable(
    partition: number,
    { offsets, reason }: NonNullable<AcquiredChunk['unreadable']>,
  ): Promise<void> {
    const { topic } = this.options;
    const [offset = 0] = offsets;
    const position = { topic, partition, offset, lastOffset: offsets.at(-1) ?? offset };
    this.parts.log.error({ ...position, reason }, 'records cannot be read; skipping them');
    await this.parts.handlers.onUnreadable(position, reason);
    this.#settleAll(partition, offsets, 'reject');
  }
}
