import type { KafkaClientName } from '../core/config/kafka.js';

/** Differences between Kafka clients that their callers have to know. */
export interface Abilities {
  /** Reads named partitions without a consumer group; without this, READ on a group is needed as well. */
  readonly groupless: boolean;
  /** Transactions are refused once the group has moved the partitions whose offsets they commit (KIP-447). */
  readonly fencedTransactions: boolean;
  /** Knows static membership (KIP-345) and the consumer group protocol (KIP-848). */
  readonly modernGroups: boolean;
}

export const ABILITIES: Readonly<Record<KafkaClientName, Abilities>> = {
  native: { groupless: true, fencedTransactions: true, modernGroups: true },
  kafkajs: { groupless: false, fencedTransactions: false, modernGroups: false },
};
