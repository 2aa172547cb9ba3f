import type { KafkaErrorKind } from './port.js';

/** Kafka's own error names (https://kafka.apache.org/protocol#protocol_error_codes), where they decide something. */
const KINDS = new Map<string, KafkaErrorKind>([
  ['MESSAGE_TOO_LARGE', 'too-large'],
  ['RECORD_LIST_TOO_LARGE', 'too-large'],
  // A compacted topic and no key; a time that the topic does not take.
  ['INVALID_RECORD', 'refused'],
  ['INVALID_TIMESTAMP', 'refused'],
  ['POLICY_VIOLATION', 'refused'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'unknown-topic'],
  ['UNKNOWN_TOPIC_ID', 'unknown-topic'],
  ['INVALID_TOPIC_EXCEPTION', 'unknown-topic'],
  ['TOPIC_AUTHORIZATION_FAILED', 'not-authorized'],
  ['GROUP_AUTHORIZATION_FAILED', 'not-authorized'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'not-authorized'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'not-authorized'],
  ['SASL_AUTHENTICATION_FAILED', 'unauthenticated'],
  ['UNSUPPORTED_SASL_MECHANISM', 'unauthenticated'],
  ['ILLEGAL_SASL_STATE', 'unauthenticated'],
  ['ILLEGAL_GENERATION', 'rebalanced'],
  ['UNKNOWN_MEMBER_ID', 'rebalanced'],
  ['REBALANCE_IN_PROGRESS', 'rebalanced'],
  ['FENCED_MEMBER_EPOCH', 'rebalanced'],
  ['STALE_MEMBER_EPOCH', 'rebalanced'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'fenced'],
  ['UNKNOWN_PRODUCER_ID', 'fenced'],
  ['INVALID_PRODUCER_EPOCH', 'fenced'],
  ['INVALID_PRODUCER_ID_MAPPING', 'fenced'],
  ['PRODUCER_FENCED', 'fenced'],
  ['FENCED_INSTANCE_ID', 'fenced'],
  // Its former owner was killed and is not yet given up.
  ['UNRELEASED_INSTANCE_ID', 'unavailable'],
]);

/** What an error that the broker names so means for whoever called; undefined where the name alone does not tell. */
export function kindOf(errorName: string): KafkaErrorKind | undefined {
  return KINDS.get(errorName);
}
