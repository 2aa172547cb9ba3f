import type { KafkaError, KafkaProducer, OutgoingRecord } from './port.js';

/** A broker's end for tests: takes what it is told to take, and keeps it. */
export class FakeProducer implements KafkaProducer {
  /** Every attempt, refused ones too. */
  readonly attempts: (readonly OutgoingRecord[])[] = [];
  readonly taken: OutgoingRecord[] = [];
  /** Why an attempt is refused; undefined: it is taken. */
  refuse: (records: readonly OutgoingRecord[]) => KafkaError | undefined = () => undefined;

  connect(): Promise<void> {
    return Promise.resolve();
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    this.attempts.push(records);
    await Promise.resolve();
    const error = this.refuse(records);
    if (error) throw error;
    this.taken.push(...records);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
