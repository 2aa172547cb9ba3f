import type {
  ConsumerHandlers,
  GroupMembership,
  KafkaConsumer,
  KafkaError,
  KafkaProducer,
  KafkaRecord,
  OutgoingRecord,
  Position,
  TopicPartition,
  UnreadableRecords,
} from '../kafka/port.js';

/** A producer without a broker: stores the records that it is not set to refuse. */
export class FakeProducer implements KafkaProducer {
  /** Every attempt, including refused ones. */
  readonly attempts: (readonly OutgoingRecord[])[] = [];
  readonly taken: OutgoingRecord[] = [];
  /** Returns the error for an attempt; undefined to accept it. */
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

/** A consumer without a broker: the test assigns, delivers and revokes. */
export class FakeConsumer implements KafkaConsumer {
  readonly commits: (readonly Position[])[] = [];
  /** Partitions currently paused. */
  readonly paused = new Set<number>();
  closed = 0;
  /** Error of commits; undefined to accept them. */
  refuseCommit: KafkaError | undefined;
  #handlers: ConsumerHandlers | undefined;
  #assigned: TopicPartition[] = [];

  start(handlers: ConsumerHandlers): Promise<void> {
    this.#handlers = handlers;
    return Promise.resolve();
  }

  assign(topic: string, ...partitions: number[]): void {
    this.#assigned = partitions.map((partition) => ({ topic, partition }));
    this.#handlers?.onAssigned(this.#assigned);
  }

  /** Resolves when the next fetch would be sent. */
  async deliver(...records: KafkaRecord[]): Promise<void> {
    await this.#handlers?.onRecords(records, (records.at(-1)?.offset ?? 0) + 1);
  }

  stepOver(records: UnreadableRecords, reason: string): void {
    void this.#handlers?.onUnreadable?.(records, reason);
  }

  async revoke(): Promise<void> {
    await this.#handlers?.onRevoked(this.#assigned.splice(0));
  }

  crash(error: KafkaError): void {
    this.#handlers?.onCrash(error);
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.paused.add(partition);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.paused.delete(partition);
  }

  commit(positions: readonly Position[]): Promise<void> {
    if (this.refuseCommit) return Promise.reject(this.refuseCommit);
    this.commits.push(positions);
    return Promise.resolve();
  }

  membership(): GroupMembership {
    return { group: 'fake', memberId: '', generation: -1 };
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}
