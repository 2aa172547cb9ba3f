import type { KafkaErrorKind } from '../port.js';

/**
 * Kinds of Kafka's protocol errors (https://kafka.apache.org/protocol#protocol_error_codes), by name, including the
 * older names that kafkajs uses. Errors not listed here are `other`: retrying does not help.
 */
const NAMES: Readonly<Record<Exclude<KafkaErrorKind, 'other'>, readonly string[]>> = {
  'too-large': ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'],
  refused: [
    // A record without a key for a compacted topic.
    'INVALID_RECORD',
    // A timestamp that the topic rejects.
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
  'other-group-type': ['GROUP_ID_NOT_FOUND', 'INCONSISTENT_GROUP_PROTOCOL'],
  fenced: [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_EPOCH',
    'INVALID_PRODUCER_ID_MAPPING',
    'PRODUCER_FENCED',
    'FENCED_INSTANCE_ID',
  ],
  unavailable: [
    // Leaders that are moving or starting, or have too few in-sync replicas.
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
    // Coordinators and controllers that are moving or loading.
    'COORDINATOR_LOAD_IN_PROGRESS',
    'GROUP_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'GROUP_COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR',
    'NOT_COORDINATOR_FOR_GROUP',
    'NOT_CONTROLLER',
    'STALE_CONTROLLER_EPOCH',
    // A full or broken disk: the partition gets another leader or waits for this one.
    'KAFKA_STORAGE_ERROR',
    // Overload and broken connections.
    'REQUEST_TIMED_OUT',
    'NETWORK_EXCEPTION',
    'THROTTLING_QUOTA_EXCEEDED',
    // Transactions and sessions that must be restarted.
    'CONCURRENT_TRANSACTIONS',
    'TRANSACTION_ABORTABLE',
    'UNSTABLE_OFFSET_COMMIT',
    'FETCH_SESSION_ID_NOT_FOUND',
    'INVALID_FETCH_SESSION_EPOCH',
    'FETCH_SESSION_TOPIC_ID_ERROR',
    'INCONSISTENT_TOPIC_ID',
    'SHARE_SESSION_NOT_FOUND',
    'INVALID_SHARE_SESSION_EPOCH',
    'SHARE_SESSION_LIMIT_REACHED',
    // The previous owner was killed and its session has not expired yet.
    'UNRELEASED_INSTANCE_ID',
    // An exception in the broker, or corrupted bytes: see `mayBeOfRecord`.
    'UNKNOWN_SERVER_ERROR',
    'UNKNOWN',
    'CORRUPT_MESSAGE',
  ],
};

const KINDS: ReadonlyMap<string, KafkaErrorKind> = new Map(
  Object.entries(NAMES).flatMap(([kind, names]) => names.map((name) => [name, kind as KafkaErrorKind])),
);

const MAY_BE_OF_RECORD: ReadonlySet<string> = new Set(['UNKNOWN_SERVER_ERROR', 'UNKNOWN', 'CORRUPT_MESSAGE']);

/** Classifies a Kafka error by its protocol name. */
export function kindOf(errorName: string): KafkaErrorKind {
  return KINDS.get(errorName) ?? 'other';
}

/** Returns true if the error may be caused by the record as well as by the broker's state. */
export function mayBeOfRecord(errorName: string): boolean {
  return MAY_BE_OF_RECORD.has(errorName);
}
