import type { ConsumerHandlers, KafkaConsumer, KafkaRecord, TopicPartition } from '../../../kafka/port.js';

/** A consumer that collects its records. */
export class Reader {
  readonly records: KafkaRecord[] = [];
  assigned: readonly TopicPartition[] = [];
  assignments = 0;

  constructor(
    readonly consumer: KafkaConsumer,
    readonly handlers: Partial<ConsumerHandlers>,
  ) {}

  values(): string[] {
    return this.records.map(({ value }) => value?.toString() ?? '');
  }

  start(): Promise<void> {
    return this.consumer.start({
      onCrash: () => undefined,
      ...this.handlers,
      onRecords: (records, highWatermark) => {
        this.records.push(...records);
        return this.handlers.onRecords?.(records, highWatermark);
      },
      onAssigned: (partitions) => {
        this.assigned = [...this.assigned, ...partitions];
        this.assignments++;
      },
      onRevoked: async (partitions) => {
        this.assigned = this.assigned.filter(
          ({ partition }) => !partitions.some((revoked) => revoked.partition === partition),
        );
        await this.handlers.onRevoked?.(partitions);
      },
    });
  }
}
