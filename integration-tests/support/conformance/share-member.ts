import type { KafkaError } from '../../../kafka/port.js';
import type { Acknowledgement, ShareConsumer, SharedRecord } from '../../../kafka/share-port.js';

export interface ShareMemberOptions {
  /** Records that the member holds at most; 1,000 by default. */
  readonly room?: number;
  /** Returns how a record's delivery ends; undefined to hold it. By default it is accepted. */
  readonly decide?: (delivered: SharedRecord) => Acknowledgement | undefined;
}

/** A member of a share group that collects what is delivered to it. */
export class ShareMember {
  readonly delivered: SharedRecord[] = [];
  readonly unreadable: string[] = [];
  /** Records that are neither acknowledged nor lost. */
  readonly held: SharedRecord[] = [];
  /** Largest number of records held at a time. */
  mostHeld = 0;
  lost = 0;
  crash: KafkaError | undefined;
  room: number;

  constructor(
    readonly consumer: ShareConsumer,
    readonly options: ShareMemberOptions,
  ) {
    this.room = options.room ?? 1_000;
  }

  start(): Promise<void> {
    return this.consumer.start({
      room: () => this.room - this.held.length,
      onRecords: (records) => this.#take(records),
      onUnreadable: (_position, reason) => void this.unreadable.push(reason),
      onLost: (records) => void (this.lost += records),
      onCrash: (error) => void (this.crash = error),
    });
  }

  #take(records: readonly SharedRecord[]): void {
    for (const delivered of records) {
      this.delivered.push(delivered);
      this.held.push(delivered);
      this.mostHeld = Math.max(this.mostHeld, this.held.length);
    }
    for (const delivered of records) {
      const how = (this.options.decide ?? accept)(delivered);
      if (how) this.end(delivered, how);
    }
  }

  end(delivered: SharedRecord, how: Acknowledgement): void {
    this.held.splice(this.held.indexOf(delivered), 1);
    this.consumer.acknowledge(delivered.record, how);
  }

  /** Deliveries as `value` or, if repeated, `value/count`. */
  values(): string[] {
    return this.delivered.map(({ record: { value }, deliveries }) =>
      deliveries === 1 ? String(value) : `${String(value)}/${deliveries}`,
    );
  }

  close(): Promise<void> {
    return this.consumer.close();
  }
}

const accept = (): Acknowledgement => 'accept';
export const hold = (): undefined => undefined;
