import { kindOf, mayBeOfRecord } from '../errors/error-kinds.js';
import { hintForClosed, loginProblem } from '../errors/login-problem.js';
import { KafkaError } from '../port.js';

interface KafkaJsLike {
  readonly name: string;
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly retriable?: boolean;
  readonly cause?: unknown;
  /** Errors of the topics that could not be created. */
  readonly errors?: readonly KafkaJsLike[];
}

const BROKEN_DURING_LOGIN = /connection (was )?closed|closed connection|timed? ?out|ECONN/i;

/** Classifies an error of kafkajs by its cause, through wrappers such as "number of retries exceeded". */
export function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  if (!isError(error)) return new KafkaError('other', String(error));
  const { type } = error;
  const problem = refusedLogin(error);
  if (problem !== undefined)
    return new KafkaError('unauthenticated', `${problem} (${error.message})`, { cause: error });
  // The protocol name takes precedence: some messages mention timeouts for other errors.
  if (type !== undefined)
    return new KafkaError(kindOf(type), error.message, { cause: error, mayBeOfRecord: mayBeOfRecord(type) });
  const refused = error.errors?.find(({ type }) => type !== 'TOPIC_ALREADY_EXISTS');
  if (refused) return toKafkaError(refused);
  if (isError(error.cause) && error.cause !== error) return toKafkaError(error.cause);
  return new KafkaError(isUnavailable(error) ? 'unavailable' : 'other', error.message, { cause: error });
}

/** Classifies an error of a connection attempt and adds the addresses. */
export function toConnectError(error: unknown, brokers: readonly string[]): KafkaError {
  const { kind, message } = toKafkaError(error);
  const hint = kind === 'unavailable' ? hintForClosed(message) : '';
  return new KafkaError(kind, `cannot connect to Kafka at ${brokers.join(',')}: ${message}${hint}`, {
    cause: error,
  });
}

/** Detects a refused login; kafkajs also reports a connection lost during login as one. */
function refusedLogin({ name, type, code, message }: KafkaJsLike): string | undefined {
  if (name === 'KafkaJSSASLAuthenticationError' && BROKEN_DURING_LOGIN.test(message)) return undefined;
  return loginProblem({ codes: [name, type, code].filter((one) => one !== undefined), message });
}

function isUnavailable(error: KafkaJsLike): boolean {
  return (
    error.retriable === true ||
    BROKEN_DURING_LOGIN.test(error.message) ||
    /Connection|Timeout|BrokerNotFound|NoBroker|CoordinatorNotFound|Closed|Retries/.test(error.name)
  );
}

function isError(error: unknown): error is KafkaJsLike {
  return error instanceof Error;
}
