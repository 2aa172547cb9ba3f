import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolErrorsCodesById, ResponseError } from '@platformatic/kafka';
import kafkajsErrors from 'kafkajs/src/protocol/error.js';
import { kindOf, mayBeOfRecord } from './error-kinds.js';
import { toKafkaError as fromKafkaJs } from '../kafkajs/errors.js';
import { toKafkaError as fromNative } from '../native/transport/errors.js';
import type { KafkaErrorKind } from '../port.js';

const HEARTBEAT = 12;

/** All errors of Kafka's protocol, by code. */
const TABLE: readonly (readonly [code: number, name: string, kind: KafkaErrorKind])[] = [
  [-1, 'UNKNOWN_SERVER_ERROR', 'unavailable'],
  [0, 'NONE', 'other'],
  [1, 'OFFSET_OUT_OF_RANGE', 'other'],
  [2, 'CORRUPT_MESSAGE', 'unavailable'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'unknown-topic'],
  [4, 'INVALID_FETCH_SIZE', 'other'],
  [5, 'LEADER_NOT_AVAILABLE', 'unavailable'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'unavailable'],
  [7, 'REQUEST_TIMED_OUT', 'unavailable'],
  [8, 'BROKER_NOT_AVAILABLE', 'unavailable'],
  [9, 'REPLICA_NOT_AVAILABLE', 'unavailable'],
  [10, 'MESSAGE_TOO_LARGE', 'too-large'],
  [11, 'STALE_CONTROLLER_EPOCH', 'unavailable'],
  [12, 'OFFSET_METADATA_TOO_LARGE', 'other'],
  [13, 'NETWORK_EXCEPTION', 'unavailable'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'unavailable'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'unavailable'],
  [16, 'NOT_COORDINATOR', 'unavailable'],
  [17, 'INVALID_TOPIC_EXCEPTION', 'unknown-topic'],
  [18, 'RECORD_LIST_TOO_LARGE', 'too-large'],
  [19, 'NOT_ENOUGH_REPLICAS', 'unavailable'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'unavailable'],
  [21, 'INVALID_REQUIRED_ACKS', 'other'],
  [22, 'ILLEGAL_GENERATION', 'rebalanced'],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', 'other-group-type'],
  [24, 'INVALID_GROUP_ID', 'other'],
  [25, 'UNKNOWN_MEMBER_ID', 'rebalanced'],
  [26, 'INVALID_SESSION_TIMEOUT', 'other'],
  [27, 'REBALANCE_IN_PROGRESS', 'rebalanced'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', 'other'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'not-authorized'],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'not-authorized'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'not-authorized'],
  [32, 'INVALID_TIMESTAMP', 'refused'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', 'unauthenticated'],
  [34, 'ILLEGAL_SASL_STATE', 'unauthenticated'],
  [35, 'UNSUPPORTED_VERSION', 'other'],
  [36, 'TOPIC_ALREADY_EXISTS', 'other'],
  [37, 'INVALID_PARTITIONS', 'other'],
  [38, 'INVALID_REPLICATION_FACTOR', 'other'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', 'other'],
  [40, 'INVALID_CONFIG', 'other'],
  [41, 'NOT_CONTROLLER', 'unavailable'],
  [42, 'INVALID_REQUEST', 'other'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'other'],
  [44, 'POLICY_VIOLATION', 'refused'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'fenced'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'other'],
  [47, 'INVALID_PRODUCER_EPOCH', 'fenced'],
  [48, 'INVALID_TXN_STATE', 'other'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'fenced'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', 'other'],
  [51, 'CONCURRENT_TRANSACTIONS', 'unavailable'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', 'other'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'not-authorized'],
  [54, 'SECURITY_DISABLED', 'other'],
  [55, 'OPERATION_NOT_ATTEMPTED', 'other'],
  [56, 'KAFKA_STORAGE_ERROR', 'unavailable'],
  [57, 'LOG_DIR_NOT_FOUND', 'other'],
  [58, 'SASL_AUTHENTICATION_FAILED', 'unauthenticated'],
  [59, 'UNKNOWN_PRODUCER_ID', 'fenced'],
  [60, 'REASSIGNMENT_IN_PROGRESS', 'other'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', 'other'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', 'other'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', 'other'],
  [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'other'],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'other'],
  [66, 'DELEGATION_TOKEN_EXPIRED', 'other'],
  [67, 'INVALID_PRINCIPAL_TYPE', 'other'],
  [68, 'NON_EMPTY_GROUP', 'other'],
  [69, 'GROUP_ID_NOT_FOUND', 'other-group-type'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'unavailable'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 'unavailable'],
  [72, 'LISTENER_NOT_FOUND', 'unavailable'],
  [73, 'TOPIC_DELETION_DISABLED', 'other'],
  [74, 'FENCED_LEADER_EPOCH', 'unavailable'],
  [75, 'UNKNOWN_LEADER_EPOCH', 'unavailable'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'other'],
  [77, 'STALE_BROKER_EPOCH', 'other'],
  [78, 'OFFSET_NOT_AVAILABLE', 'unavailable'],
  [79, 'MEMBER_ID_REQUIRED', 'other'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', 'unavailable'],
  [81, 'GROUP_MAX_SIZE_REACHED', 'other'],
  [82, 'FENCED_INSTANCE_ID', 'fenced'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'unavailable'],
  [84, 'ELECTION_NOT_NEEDED', 'unavailable'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', 'other'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', 'other'],
  [87, 'INVALID_RECORD', 'refused'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'unavailable'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'unavailable'],
  [90, 'PRODUCER_FENCED', 'fenced'],
  [91, 'RESOURCE_NOT_FOUND', 'other'],
  [92, 'DUPLICATE_RESOURCE', 'other'],
  [93, 'UNACCEPTABLE_CREDENTIAL', 'other'],
  [94, 'INCONSISTENT_VOTER_SET', 'other'],
  [95, 'INVALID_UPDATE_VERSION', 'other'],
  [96, 'FEATURE_UPDATE_FAILED', 'other'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', 'other'],
  [98, 'SNAPSHOT_NOT_FOUND', 'other'],
  [99, 'POSITION_OUT_OF_RANGE', 'other'],
  [100, 'UNKNOWN_TOPIC_ID', 'unknown-topic'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', 'other'],
  [102, 'BROKER_ID_NOT_REGISTERED', 'other'],
  [103, 'INCONSISTENT_TOPIC_ID', 'unavailable'],
  [104, 'INCONSISTENT_CLUSTER_ID', 'other'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', 'other'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', 'unavailable'],
  [107, 'INELIGIBLE_REPLICA', 'other'],
  [108, 'NEW_LEADER_ELECTED', 'unavailable'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', 'other'],
  [110, 'FENCED_MEMBER_EPOCH', 'rebalanced'],
  [111, 'UNRELEASED_INSTANCE_ID', 'unavailable'],
  [112, 'UNSUPPORTED_ASSIGNOR', 'other'],
  [113, 'STALE_MEMBER_EPOCH', 'rebalanced'],
  [114, 'MISMATCHED_ENDPOINT_TYPE', 'other'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', 'other'],
  [116, 'UNKNOWN_CONTROLLER_ID', 'other'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', 'other'],
  [118, 'TELEMETRY_TOO_LARGE', 'other'],
  [119, 'INVALID_REGISTRATION', 'other'],
  [120, 'TRANSACTION_ABORTABLE', 'unavailable'],
  [121, 'INVALID_RECORD_STATE', 'other'],
  [122, 'SHARE_SESSION_NOT_FOUND', 'unavailable'],
  [123, 'INVALID_SHARE_SESSION_EPOCH', 'unavailable'],
  [124, 'FENCED_STATE_EPOCH', 'other'],
  [125, 'INVALID_VOTER_KEY', 'other'],
  [126, 'DUPLICATE_VOTER', 'other'],
  [127, 'VOTER_NOT_FOUND', 'other'],
];

/** Returns true for errors that kafkajs, which is older, knows by code. */
const isKnownToKafkaJs = (code: number): boolean =>
  kafkajsErrors.errorCodes.some((known) => known.code === code);

test('every error of the protocol is classified, with both clients', () => {
  for (const [code, name, kind] of TABLE) {
    assert.equal(kindOf(name), kind, name);
    const answered = new ResponseError(HEARTBEAT, 4, { '/': [code, null] }, {});
    if (code !== 0) assert.equal(fromNative(answered).kind, kind, `${name} of the native client`);
    if (code !== 0 && isKnownToKafkaJs(code))
      assert.equal(fromKafkaJs(kafkajsErrors.createErrorFromCode(code)).kind, kind, `${name} of kafkajs`);
  }
});

test('every error that a client library knows is in the table', () => {
  const listed = new Set(TABLE.map(([code]) => code));
  const known = [
    ...Object.keys(protocolErrorsCodesById).map(Number),
    ...kafkajsErrors.errorCodes.map(({ code }) => code),
  ];
  assert.deepEqual(
    known.filter((code) => !listed.has(code)),
    [],
  );
});

test('only an error that the broker does not explain may be caused by the record, with both clients', () => {
  const unexplained = TABLE.filter(([, name]) => mayBeOfRecord(name)).map(([, name]) => name);
  assert.deepEqual(unexplained, ['UNKNOWN_SERVER_ERROR', 'CORRUPT_MESSAGE']);
  for (const [code, name] of TABLE) {
    if (code === 0) continue;
    const expected = unexplained.includes(name);
    const answered = new ResponseError(HEARTBEAT, 4, { '/': [code, null] }, {});
    assert.equal(fromNative(answered).mayBeOfRecord, expected, name);
    if (isKnownToKafkaJs(code))
      assert.equal(fromKafkaJs(kafkajsErrors.createErrorFromCode(code)).mayBeOfRecord, expected, name);
  }
});
