import { KafkaError, type KafkaErrorKind } from '../port.js';

/** Kafka's own error names (https://kafka.apache.org/protocol#protocol_error_codes), where they decide something. */
const KINDS: Record<string, KafkaErrorKind> = {
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  UNKNOWN_TOPIC_OR_PARTITION: 'unknown-topic',
  INVALID_TOPIC_EXCEPTION: 'unknown-topic',
  TOPIC_AUTHORIZATION_FAILED: 'not-authorized',
  GROUP_AUTHORIZATION_FAILED: 'not-authorized',
  CLUSTER_AUTHORIZATION_FAILED: 'not-authorized',
  SASL_AUTHENTICATION_FAILED: 'not-authorized',
  ILLEGAL_GENERATION: 'rebalanced',
  UNKNOWN_MEMBER_ID: 'rebalanced',
  REBALANCE_IN_PROGRESS: 'rebalanced',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'fenced',
  UNKNOWN_PRODUCER_ID: 'fenced',
  INVALID_PRODUCER_EPOCH: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',
  PRODUCER_FENCED: 'fenced',
};

interface KafkaJsLike {
  readonly name: string;
  readonly message: string;
  readonly type?: string;
  readonly retriable?: boolean;
  readonly cause?: unknown;
}

/** Classifies an error of kafkajs, looking through its wrappers ("number of retries exceeded") at the cause. */
export function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  if (!isError(error)) return new KafkaError('other', String(error));
  if (error.type !== undefined && KINDS[error.type])
    return new KafkaError(KINDS[error.type] ?? 'other', error.message, { cause: error });
  if (error.name === 'KafkaJSSASLAuthenticationError')
    return new KafkaError('not-authorized', error.message, { cause: error });
  if (isError(error.cause) && error.cause !== error) return toKafkaError(error.cause);
  return new KafkaError(isUnavailable(error) ? 'unavailable' : 'other', error.message, { cause: error });
}

/** The same for an attempt to connect: says where. */
export function toConnectError(error: unknown, brokers: readonly string[]): KafkaError {
  const { kind, message } = toKafkaError(error);
  return new KafkaError(kind, `Kafka at ${brokers.join(',')} can't be used: ${message}`, { cause: error });
}

function isUnavailable(error: KafkaJsLike): boolean {
  return (
    error.retriable === true || /Connection|Timeout|BrokerNotFound|NoBroker|Closed|Retries/.test(error.name)
  );
}

function isError(error: unknown): error is KafkaJsLike {
  return error instanceof Error;
}
