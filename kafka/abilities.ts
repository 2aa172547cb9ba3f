import type { KafkaClientName } from '../core/config/kafka.js';

/** Differences between the Kafka clients that callers need to know. */
export interface Abilities {
  /** Reads named partitions without a consumer group. If false, READ permission on a group is required as well. */
  readonly groupless: boolean;
  /** Rejects a transaction once the partitions whose offsets it commits have been reassigned (KIP-447). */
  readonly fencedTransactions: boolean;
  /** Supports static membership (KIP-345) and the consumer group protocol (KIP-848). */
  readonly modernGroups: boolean;
  /** Supports share groups (KIP-932); the brokers must as well: see `KafkaAdmin.shareGroupProblem`. */
  readonly shareGroups: boolean;
}

export const ABILITIES: Readonly<Record<KafkaClientName, Abilities>> = {
  native: { groupless: true, fencedTransactions: true, modernGroups: true, shareGroups: true },
  kafkajs: { groupless: false, fencedTransactions: false, modernGroups: false, shareGroups: false },
};
