import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka';
import { kindOf } from '../error-kinds.js';
import { KafkaError, type KafkaErrorKind } from '../port.js';

/** The fields by which the library's errors are told apart; its wrappers have `errors`, `cause` or both. */
interface LibraryError extends Error {
  readonly code?: string;
  /** The broker's name for what went wrong. */
  readonly apiId?: string;
  readonly errors?: readonly unknown[];
}

/** Limits and lost connections have this code, whatever their class. */
const NETWORK = 'PLT_KFK_NETWORK';
const AUTHENTICATION = 'PLT_KFK_AUTHENTICATION';
const SYSTEM_ERROR = /^(E[A-Z]+|ERR_SSL_.*|ERR_SOCKET_.*)$/;

/** The broker's name for an error code: `NOT_COORDINATOR`. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `ERROR_${code}`;
}

/** An error that the broker answered with. */
export function brokerError(name: string, detail: string): KafkaError {
  return new KafkaError(kindOf(name) ?? (isRetriable(name) ? 'unavailable' : 'other'), `${name}: ${detail}`);
}

/** Whether the same request may succeed later, or with another broker. */
export function isRetriable(name: string): boolean {
  return protocolErrors[name]?.canRetry === true;
}

/** Classifies an error of the library, looking into its wrappers. */
export function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  if (!(error instanceof Error)) return new KafkaError('other', String(error));
  const all = unfold(error);
  const names = namesIn(all);
  const kind = names.map(kindOf).find((known) => known !== undefined) ?? kindOfFailure(all, names);
  return new KafkaError(kind, describe(all, names), { cause: error });
}

/** The same for an attempt to connect: says where. */
export function toConnectError(error: unknown, brokers: readonly string[]): KafkaError {
  const { kind, message } = toKafkaError(error);
  return new KafkaError(kind, `Kafka at ${brokers.join(',')} can't be used: ${message}`, { cause: error });
}

/** Names of all errors that the broker answered with, from the outermost in. */
export function brokerErrorNames(error: unknown): string[] {
  return namesIn(unfold(error));
}

/** The broker's answer, which the library throws away as soon as one error code is in it. */
export function responseOf<R>(error: unknown): R | undefined {
  return unfold(error).find((one): one is LibraryError & { response: R } => 'response' in one)?.response;
}

/** The outermost message says what was tried, the innermost what was wrong. */
function describe(all: readonly LibraryError[], names: readonly string[]): string {
  const messages = [all[0]?.message, all.at(-1)?.message, ...names];
  return [...new Set(messages)].join(': ');
}

function kindOfFailure(all: readonly LibraryError[], names: readonly string[]): KafkaErrorKind {
  if (all.some(({ code }) => code === NETWORK || SYSTEM_ERROR.test(code ?? ''))) {
    // A refused login is wrapped in a failed connection; a connection that broke during login is not a refusal.
    const refused = all.some(({ code, cause }) => code === AUTHENTICATION && !isNetwork(cause));
    return refused ? 'not-authorized' : 'unavailable';
  }
  if (names.length > 0 && names.every(isRetriable)) return 'unavailable';
  return all.some(({ code }) => code === AUTHENTICATION) ? 'not-authorized' : 'other';
}

function isNetwork(error: unknown): boolean {
  return (error as LibraryError | undefined)?.code === NETWORK;
}

function namesIn(errors: readonly LibraryError[]): string[] {
  return errors.flatMap(({ apiId }) => (apiId === undefined ? [] : [apiId]));
}

function unfold(error: unknown): LibraryError[] {
  if (!(error instanceof Error)) return [];
  const { errors = [], cause } = error as LibraryError;
  return [error, ...errors.flatMap(unfold), ...unfold(cause)];
}
