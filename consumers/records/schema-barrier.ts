import type { KafkaRecord, TopicPartition, UnreadableRecords } from '../../kafka/port.js';

/** A range of offsets whose records cannot be read. */
export interface UnreadableRange {
  readonly kind: 'unreadable';
  readonly position: UnreadableRecords;
  readonly reason: string;
}

/** A fetched record, or a marker for an unreadable range. */
export type Arrival = KafkaRecord | UnreadableRange;

export interface SchemaBarrierHandlers {
  /** Returns a promise if the record has to wait for a schema. The promise may never settle. */
  whenDecodable(record: KafkaRecord): Promise<void> | undefined;
  /** @param arrivedAt monotonic milliseconds */
  accept(record: KafkaRecord, arrivedAt: number): void;
  skipUnreadable(range: UnreadableRange): void;
  /** Returns a promise while the in-flight limits are reached. */
  whenBelowLimit(): Promise<void> | undefined;
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  onStopped(error: Error): void;
}

/** Arrivals of a partition that wait for a schema, beginning with the record that needs it. */
interface Waiting {
  readonly place: TopicPartition;
  arrivals: readonly Arrival[];
}

/**
 * Accepts arrivals in order, partition by partition. A record whose schema is unknown pauses its partition, and the
 * rest of the fetch waits here, possibly for a long time if the schema registry is unavailable. Waiting records count neither
 * as in flight nor as work to drain, so the partition can be revoked at any time.
 */
export class SchemaBarrier {
  readonly #waiting = new Map<number, Waiting>();

  constructor(readonly handlers: SchemaBarrierHandlers) {}

  /** @param arrivals of this partition */
  deliver(place: TopicPartition, arrivals: readonly Arrival[]): void {
    const waiting = this.#waiting.get(place.partition);
    if (waiting) waiting.arrivals = [...waiting.arrivals, ...arrivals];
    else this.#acceptAll(place, arrivals);
  }

  #acceptAll(place: TopicPartition, arrivals: readonly Arrival[]): void {
    const arrivedAt = performance.now();
    let accepted = 0;
    for (const arrival of arrivals) {
      if (isUnreadable(arrival)) this.handlers.skipUnreadable(arrival);
      else {
        const decodable = this.handlers.whenDecodable(arrival);
        if (decodable) return this.#wait({ place, arrivals: arrivals.slice(accepted) }, decodable);
        this.handlers.accept(arrival, arrivedAt);
      }
      accepted++;
    }
  }

  #wait(waiting: Waiting, decodable: Promise<void>): void {
    this.#waiting.set(waiting.place.partition, waiting);
    this.handlers.pause(waiting.place);
    decodable
      .then(() => this.#continue(waiting))
      .catch((error: unknown) => this.handlers.onStopped(error as Error));
  }

  async #continue(waiting: Waiting): Promise<void> {
    // Several partitions may have waited for one schema; all of them together can exceed the in-flight limits.
    for (let limit = this.handlers.whenBelowLimit(); limit; limit = this.handlers.whenBelowLimit())
      await limit;
    // The partition may have been revoked meanwhile, and even assigned again.
    if (this.#waiting.get(waiting.place.partition) !== waiting) return;
    this.drop(waiting.place.partition);
    this.#acceptAll(waiting.place, waiting.arrivals);
  }

  /** Discards the waiting arrivals of a partition and resumes it. */
  drop(partition: number): void {
    const waiting = this.#waiting.get(partition);
    if (!waiting) return;
    this.#waiting.delete(partition);
    this.handlers.resume(waiting.place);
  }
}

function isUnreadable(arrival: Arrival): arrival is UnreadableRange {
  return 'kind' in arrival;
}
