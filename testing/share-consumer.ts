import type { KafkaRecord, PartitionOffset, TopicPartition, UnreadableRecords } from '../kafka/port.js';
import type { Acknowledgement, ShareConsumer, ShareHandlers } from '../kafka/share-port.js';

/** A share consumer without a broker: the test delivers. */
export class FakeShareConsumer implements ShareConsumer {
  readonly assigned: readonly TopicPartition[] = [{ topic: 'p.digits.requests', partition: 0 }];
  /** Acknowledgements, as `offset how`. */
  readonly acknowledged: string[] = [];
  wakes = 0;
  isClosed = false;
  #handlers: ShareHandlers | undefined;

  start(handlers: ShareHandlers): Promise<void> {
    this.#handlers = handlers;
    return Promise.resolve();
  }

  room(aheadMs = 0): number {
    return this.#handlers?.room(aheadMs) ?? 0;
  }

  /** Resolves once more may be delivered. */
  async deliver(record: KafkaRecord, deliveries = 1): Promise<void> {
    await this.#handlers?.onRecords([{ record, deliveries }]);
  }

  async deliverUnreadable(position: UnreadableRecords, reason: string): Promise<void> {
    await this.#handlers?.onUnreadable(position, reason);
  }

  acknowledge({ offset }: PartitionOffset, how: Acknowledgement): void {
    this.acknowledged.push(`${offset} ${how}`);
  }

  wake(): void {
    this.wakes++;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
