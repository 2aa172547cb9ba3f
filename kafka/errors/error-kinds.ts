import type { KafkaErrorKind } from '../port.js';

/**
 * Kinds of Kafka's own errors (https://kafka.apache.org/protocol#protocol_error_codes), by name and, where kafkajs has
 * an older one, by that too. Errors that are not here are `other`: trying again does not help.
 */
const NAMES: Readonly<Record<Exclude<KafkaErrorKind, 'other'>, readonly string[]>> = {
  'too-large': ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'],
  refused: [
    // A compacted topic and no key.
    'INVALID_RECORD',
    // A time that the topic does not take.
    'INVALID_TIMESTAMP',
    'POLICY_VIOLATION',
  ],
  'unknown-topic': ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INVALID_TOPIC_EXCEPTION'],
  'not-authorized': [
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  ],
  unauthenticated: ['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE'],
  rebalanced: [
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'REBALANCE_IN_PROGRESS',
    'FENCED_MEMBER_EPOCH',
    'STALE_MEMBER_EPOCH',
  ],
  fenced: [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_EPOCH',
    'INVALID_PRODUCER_ID_MAPPING',
    'PRODUCER_FENCED',
    'FENCED_INSTANCE_ID',
  ],
  unavailable: [
    // Leaders that move, start or have too few replicas.
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_LEADER_FOR_PARTITION',
    'BROKER_NOT_AVAILABLE',
    'REPLICA_NOT_AVAILABLE',
    'LISTENER_NOT_FOUND',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'OFFSET_NOT_AVAILABLE',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'PREFERRED_LEADER_NOT_AVAILABLE',
    'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    'ELECTION_NOT_NEEDED',
    'NEW_LEADER_ELECTED',
    // Coordinators and controllers that move or load.
    'COORDINATOR_LOAD_IN_PROGRESS',
    'GROUP_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'GROUP_COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR',
    'NOT_COORDINATOR_FOR_GROUP',
    'NOT_CONTROLLER',
    'STALE_CONTROLLER_EPOCH',
    // A full or broken disk; the partition gets another leader, or waits for this one.
    'KAFKA_STORAGE_ERROR',
    // A load that is too high, and lines that break.
    'REQUEST_TIMED_OUT',
    'NETWORK_EXCEPTION',
    'THROTTLING_QUOTA_EXCEEDED',
    // Transactions and sessions that are to be begun again.
    'CONCURRENT_TRANSACTIONS',
    'TRANSACTION_ABORTABLE',
    'UNSTABLE_OFFSET_COMMIT',
    'FETCH_SESSION_ID_NOT_FOUND',
    'INVALID_FETCH_SESSION_EPOCH',
    'FETCH_SESSION_TOPIC_ID_ERROR',
    'INCONSISTENT_TOPIC_ID',
    'SHARE_SESSION_NOT_FOUND',
    'INVALID_SHARE_SESSION_EPOCH',
    // Its former owner was killed and is not yet given up.
    'UNRELEASED_INSTANCE_ID',
    // An exception in the broker, or bytes that arrived damaged: see `mayBeOfRecord`.
    'UNKNOWN_SERVER_ERROR',
    'UNKNOWN',
    'CORRUPT_MESSAGE',
  ],
};

const KINDS: ReadonlyMap<string, KafkaErrorKind> = new Map(
  Object.entries(NAMES).flatMap(([kind, names]) => names.map((name) => [name, kind as KafkaErrorKind])),
);

const MAY_BE_OF_RECORD: ReadonlySet<string> = new Set(['UNKNOWN_SERVER_ERROR', 'UNKNOWN', 'CORRUPT_MESSAGE']);

/** Classifies an error that the broker names so. */
export function kindOf(errorName: string): KafkaErrorKind {
  return KINDS.get(errorName) ?? 'other';
}

/** Whether the error may come from the broker's state as well as from the record that was sent. */
export function mayBeOfRecord(errorName: string): boolean {
  return MAY_BE_OF_RECORD.has(errorName);
}
