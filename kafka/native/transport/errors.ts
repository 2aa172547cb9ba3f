import { protocolErrorsCodesById } from '../../platformatic/index.js';
import { kindOf, mayBeOfRecord } from '../../errors/error-kinds.js';
import { hintForClosed, loginProblem } from '../../errors/login-problem.js';
import { KafkaError, type KafkaErrorKind } from '../../port.js';

/** Fields that distinguish the library's errors; wrappers have `errors`, `cause` or both. */
interface LibraryError extends Error {
  readonly code?: string;
  /** Protocol name of the broker's error. */
  readonly apiId?: string;
  readonly errors?: readonly unknown[];
}

/** Timeouts, lost connections, and an unexpected response, after which the connection is closed. */
const NETWORK = new Set(['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT', 'PLT_KFK_UNEXPECTED_CORRELATION_ID']);
const AUTHENTICATION = 'PLT_KFK_AUTHENTICATION';
const SYSTEM_ERROR = /^(E[A-Z0-9_]+|ERR_SSL_.*|ERR_SOCKET_.*|ERR_STREAM_.*)$/;

/** Errors that the library does not know. */
const NEWER_ERRORS: Readonly<Record<number, string>> = { 133: 'SHARE_SESSION_LIMIT_REACHED' };

/** Returns the protocol name of an error code: `NOT_COORDINATOR`. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? NEWER_ERRORS[code] ?? `ERROR_${code}`;
}

/** Creates an error from a broker's error code. */
export function brokerError(name: string, detail: string): KafkaError {
  return new KafkaError(kindOf(name), `${name}: ${detail}`, { mayBeOfRecord: mayBeOfRecord(name) });
}

/** Classifies an error of the library, including its wrappers. */
export function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  if (!(error instanceof Error)) return new KafkaError('other', String(error));
  const all = unfold(error);
  const names = namesIn(all);
  const problem = refusedLogin(all, names);
  if (problem !== undefined)
    return new KafkaError('unauthenticated', `${problem} (${all.at(-1)?.message})`, { cause: error });
  const options = { cause: error, mayBeOfRecord: names.some(mayBeOfRecord) };
  return new KafkaError(kindOfFailure(all, names), describe(all, names), options);
}

/** Classifies an error of a connection attempt and adds the addresses. */
export function toConnectError(error: unknown, brokers: readonly string[]): KafkaError {
  const { kind, message } = toKafkaError(error);
  const hint = kind === 'unavailable' ? hintForClosed(message) : '';
  return new KafkaError(kind, `cannot connect to Kafka at ${brokers.join(',')}: ${message}${hint}`, {
    cause: error,
  });
}

/** Returns the protocol names of all broker errors, from the outermost in. */
export function brokerErrorNames(error: unknown): string[] {
  return namesIn(unfold(error));
}

/** Extracts the broker's response, which the library discards if it contains an error code. */
export function responseOf<R>(error: unknown): R | undefined {
  return unfold(error).find((one): one is LibraryError & { response: R } => 'response' in one)?.response;
}

/** Describes an error: the outermost message names the operation, the innermost the cause. */
function describe(all: readonly LibraryError[], names: readonly string[]): string {
  const messages = [all[0]?.message, all.at(-1)?.message, ...names];
  return [...new Set(messages)].join(': ');
}

function kindOfFailure(all: readonly LibraryError[], names: readonly string[]): KafkaErrorKind {
  const kinds = names.map(kindOf);
  const decisive = kinds.find((kind) => kind !== 'other' && kind !== 'unavailable');
  if (decisive !== undefined) return decisive;
  const isNetwork = all.some(({ code = '' }) => NETWORK.has(code) || SYSTEM_ERROR.test(code));
  const isRetriable = kinds.length > 0 && kinds.every((kind) => kind === 'unavailable');
  return isNetwork || isRetriable ? 'unavailable' : 'other';
}

/** Detects a refused login; a connection lost during login is not one. */
function refusedLogin(all: readonly LibraryError[], names: readonly string[]): string | undefined {
  const codes = [...names, ...all.flatMap(({ code }) => code ?? [])];
  const isRefused = all.some(({ cause, code }) => code === AUTHENTICATION && !isRetriable(cause));
  if (isRefused) codes.push('SASL_AUTHENTICATION_FAILED');
  return loginProblem({ codes, message: all.at(-1)?.message ?? '' });
}

function isRetriable(error: unknown): boolean {
  const { code = '' } = (error ?? {}) as LibraryError;
  return NETWORK.has(code) || SYSTEM_ERROR.test(code) || code === AUTHENTICATION;
}

function namesIn(errors: readonly LibraryError[]): string[] {
  return errors.flatMap(({ apiId }) => (apiId === undefined ? [] : [apiId]));
}

function unfold(error: unknown): LibraryError[] {
  if (!(error instanceof Error)) return [];
  const { errors = [], cause } = error as LibraryError;
  return [error, ...errors.flatMap(unfold), ...unfold(cause)];
}
