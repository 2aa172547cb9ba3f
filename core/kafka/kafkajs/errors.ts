import { kindOf } from '../error-kinds.js';
import { KafkaError } from '../port.js';

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
  const kind = error.type === undefined ? undefined : kindOf(error.type);
  if (kind) return new KafkaError(kind, error.message, { cause: error });
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
