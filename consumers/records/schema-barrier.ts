import type { KafkaRecord, TopicPartition } from '../../kafka/port.js';

/** A record, or what is to be done where records can't be read. */
export type Arrival = KafkaRecord | (() => void);

/** What is done with arrivals in their turn. */
export interface SchemaBarrierHandlers {
  /** A promise when something must be known before this record is taken on. It may never be settled. */
  whenDecodable(record: KafkaRecord): Promise<void> | undefined;
  /** @param arrivedAt monotonic milliseconds */
  accept(record: KafkaRecord, arrivedAt: number): void;
  /** A promise while there is no room for more. */
  whenBelowLimit(): Promise<void> | undefined;
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  onStopped(error: Error): void;
}

/** What waits of a partition, beginning with the record that needs a look-up. */
interface Waiting {
  readonly place: TopicPartition;
  arrivals: readonly Arrival[];
}

/**
 * Takes arrivals on in their order, partition by partition, each up to a record whose schema has to be looked up: then its
 * partition is paused, and what came of it is kept aside, since the schema registry may be away for long. What waits is not
 * taken on: it counts neither as in flight nor as work that has to be finished before the partition may go.
 */
export class SchemaBarrier {
  readonly #waiting = new Map<number, Waiting>();

  constructor(readonly handlers: SchemaBarrierHandlers) {}

  /** @param arrivals of this partition */
  deliver(place: TopicPartition, arrivals: readonly Arrival[]): void {
    const waiting = this.#waiting.get(place.partition);
    if (waiting) waiting.arrivals = [...waiting.arrivals, ...arrivals];
    else this.#takeAll(place, arrivals);
  }

  #takeAll(place: TopicPartition, arrivals: readonly Arrival[]): void {
    const arrivedAt = performance.now();
    let taken = 0;
    for (const arrival of arrivals) {
      if (typeof arrival === 'function') arrival();
      else {
        const lookUp = this.handlers.whenDecodable(arrival);
        if (lookUp) return this.#wait({ place, arrivals: arrivals.slice(taken) }, lookUp);
        this.handlers.accept(arrival, arrivedAt);
      }
      taken++;
    }
  }

  #wait(waiting: Waiting, lookUp: Promise<void>): void {
    this.#waiting.set(waiting.place.partition, waiting);
    this.handlers.pause(waiting.place);
    lookUp.then(() => this.#goOn(waiting)).catch((error: unknown) => this.handlers.onStopped(error as Error));
  }

  async #goOn(waiting: Waiting): Promise<void> {
    // Many partitions may have waited for the same: together they could be more than the bounds allow.
    for (let room = this.handlers.whenBelowLimit(); room; room = this.handlers.whenBelowLimit()) await room;
    // The partition may have gone meanwhile, and have come back.
    if (this.#waiting.get(waiting.place.partition) !== waiting) return;
    this.drop(waiting.place.partition);
    this.#takeAll(waiting.place, waiting.arrivals);
  }

  /** Gives up what waits of a partition, which may go on. */
  drop(partition: number): void {
    const waiting = this.#waiting.get(partition);
    if (!waiting) return;
    this.#waiting.delete(partition);
    this.handlers.resume(waiting.place);
  }
}
