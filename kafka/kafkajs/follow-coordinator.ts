import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';
import { toKafkaError } from './errors.js';

/**
 * kafkajs looks a group's coordinator up only when it joins. When the coordinator moves it rejoins, or, while the former
 * one restarts, sends heartbeats to it until its retries are used up. Here the coordinator is looked up again, and the
 * membership goes on. kafkajs is pinned to the version whose method this wraps.
 */
const heartbeat = Object.getOwnPropertyDescriptor(ConsumerGroup.prototype, 'heartbeat')?.value as (
  this: ConsumerGroup,
  options: { readonly interval: number },
) => Promise<void>;
ConsumerGroup.prototype.heartbeat = async function (this: ConsumerGroup, options): Promise<void> {
  try {
    await heartbeat.call(this, options);
  } catch (error) {
    if (toKafkaError(error).kind !== 'unavailable') throw error;
    this.coordinator = await this.cluster.findGroupCoordinator({ groupId: this.groupId });
    await heartbeat.call(this, options);
  }
};
