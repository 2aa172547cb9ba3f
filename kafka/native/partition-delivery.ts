import type { Logger } from '../../core/log.js';
import { Turns } from '../../core/turns.js';
import { KafkaError, type ConsumerHandlers } from '../port.js';
import { deliverChunk } from '../record-batches/deliver-chunk.js';
import { BatchReader, skipUnreadable, UnreadableBatch, type Chunk } from '../record-batches/read-batches.js';
import type { ReadLimits } from '../record-batches/read-limits.js';
import type { FetchGate } from './fetch-gate.js';
import type { PartitionSources, Source } from './partition-sources.js';
import type { FetchedPartition } from './protocol/fetch.js';

/** Attempts to fetch a corrupted batch: the corruption may be in transit, not in the log. */
const TRIES_FOR_DAMAGED = 3;

export interface DeliveryOptions {
  readonly topic: string;
  readonly readLimits?: ReadLimits | undefined;
}

export type DeliveryHandlers = Pick<ConsumerHandlers, 'onRecords' | 'onUnreadable' | 'onPosition'>;

export interface DeliveryParts {
  readonly sources: PartitionSources;
  readonly gate: FetchGate;
  readonly handlers: DeliveryHandlers;
  readonly log: Logger;
}

/** Delivers the fetched records of partitions and moves their positions. */
export class PartitionDelivery {
  constructor(
    readonly options: DeliveryOptions,
    readonly parts: DeliveryParts,
  ) {}

  /**
   * Delivers chunk by chunk, as capacity allows; stops if the partition is paused, dropped or moved.
   * @returns the number of records
   * @throws KafkaError if a batch is corrupted and may be intact when fetched again
   */
  async deliver(source: Source, part: FetchedPartition): Promise<number> {
    const { partition, position } = source;
    const { topic, readLimits: limits } = this.options;
    if (!part.batches) return 0;
    const { batches, aborted, highWatermark } = part;
    const reader = new BatchReader(batches, { topic, partition }, position, { aborted, limits });
    const read = (): Chunk | undefined => readNext(reader, source, highWatermark);
    const turns = new Turns();
    let records = 0;
    for (let chunk = read(); chunk; chunk = read()) {
      records += chunk.records.length;
      const turn = this.#deliverChunk(source, chunk, highWatermark) ?? turns.next();
      if (turn) await turn;
      if (!this.parts.sources.isAt(source, chunk.next)) break;
    }
    return records;
  }

  #deliverChunk(source: Source, chunk: Chunk, highWatermark: number): Promise<void> | undefined {
    const { gate, handlers } = this.parts;
    const at = { topic: this.options.topic, partition: source.partition };
    source.position = chunk.next;
    if (chunk.unreadable)
      this.parts.log.error({ ...at, ...chunk.unreadable }, 'records cannot be read; skipping them');
    const taken = deliverChunk(handlers, at, chunk, highWatermark);
    handlers.onPosition?.({ partition: source.partition, offset: chunk.next });
    if (!taken) return undefined;
    gate.holdUntil(taken);
    return gate.released();
  }
}

/** Reads the next chunk; one that skips the batch if it stays corrupted. */
function readNext(reader: BatchReader, source: Source, highWatermark: number): Chunk | undefined {
  try {
    const chunk = reader.next();
    source.damagedTries = 0;
    return chunk;
  } catch (cause) {
    if (!(cause instanceof UnreadableBatch)) throw cause;
    if (++source.damagedTries < TRIES_FOR_DAMAGED) throw new KafkaError('unavailable', cause.message);
    source.damagedTries = 0;
    return skipUnreadable(cause, source.position, highWatermark);
  }
}
