import type { RecordHeaders } from '../framing/framing.js';
import { fromList, headersInOrder, listOf, type Headers, type ListedHeaders } from './header-list.js';
import type { PartituraError } from '../errors.js';

/** Names of headers that Partitura reads and writes, other than those of the reply dialects. */
export const INFERENCE_ERROR = 'inference-error';
/** Number of times a dead letter was replayed: decimal text. */
export const REPLAYS = 'partitura-replays';
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** Copies a request's trace context to its reply. */
export function copyTraceHeaders(from: RecordHeaders, to: RecordHeaders): void {
  for (const name of TRACE_HEADERS) {
    const value = from[name];
    if (value !== undefined) to[name] = value;
  }
}

/** Stage at which a record failed, in the terms of the Kafka Connect headers. */
export type FailureStage = 'decode' | 'validate' | 'model' | 'reply';

/** Messages may quote sender data; a record has no space for it twice. */
const MAX_MESSAGE_CHARACTERS = 4_096;

/** Truncates an error's message to a size suitable for a header. */
export function readableMessage(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARACTERS);
}

/** Prefixes of dead-letter headers, by their conventions. */
export const CONNECT_ERRORS = '__connect.errors.';
export const SPRING_DEAD_LETTER = 'kafka_dlt-';
/** Marks a dead letter without its value and gives the reason: it was too large for its topic or unreadable. */
export const VALUE_DROPPED = `${CONNECT_ERRORS}value.dropped`;

/** Names of the headers that nodes add in each style; the first one holds the original topic. */
export const DEAD_LETTER_NAMES: readonly (readonly [origin: string, ...others: string[]])[] = [
  [
    `${CONNECT_ERRORS}topic`,
    ...['partition', 'offset', 'stage', 'exception.class.name', 'exception.message'].map(
      (name) => CONNECT_ERRORS + name,
    ),
  ],
  [
    `${SPRING_DEAD_LETTER}original-topic`,
    ...[
      'original-partition',
      'original-offset',
      'original-timestamp',
      'exception-fqcn',
      'exception-message',
    ].map((name) => SPRING_DEAD_LETTER + name),
  ],
];

/** Conventions for dead-letter headers: Kafka Connect's, spring-kafka's, or both. */
export const DEAD_LETTER_STYLES = ['connect', 'spring', 'both'] as const;
export type DeadLetterStyle = (typeof DEAD_LETTER_STYLES)[number];

/** Origin of a failed record, as stated in its dead letter. */
export interface FailedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
}

/** Returns the headers that a dead letter has in addition to the original ones. */
export function deadLetterHeaders(
  source: FailedRecord,
  stage: FailureStage,
  error: PartituraError,
  style: DeadLetterStyle = 'connect',
): RecordHeaders {
  return {
    ...(style === 'spring' ? {} : connectHeaders(source, stage, error)),
    ...(style === 'connect' ? {} : springHeaders(source, error)),
    [INFERENCE_ERROR]: Buffer.from(error.code),
  };
}

/**
 * Returns the headers of a dead letter: the original ones, followed by ours. Readers use the last value of a name.
 */
export function withDeadLetterHeaders(
  record: FailedRecord & Headers,
  stage: FailureStage,
  error: PartituraError,
  style: DeadLetterStyle,
): ListedHeaders {
  const ours = listOf(deadLetterHeaders(record, stage, error, style));
  return fromList([...headersInOrder(record), ...ours]);
}

/** Writes headers as text, like Kafka Connect with `errors.deadletterqueue.context.headers.enable` (KIP-298). */
function connectHeaders(source: FailedRecord, stage: FailureStage, error: PartituraError): RecordHeaders {
  return {
    [`${CONNECT_ERRORS}topic`]: Buffer.from(source.topic),
    [`${CONNECT_ERRORS}partition`]: Buffer.from(String(source.partition)),
    [`${CONNECT_ERRORS}offset`]: Buffer.from(String(source.offset)),
    [`${CONNECT_ERRORS}stage`]: Buffer.from(stage),
    [`${CONNECT_ERRORS}exception.class.name`]: Buffer.from(error.code),
    [`${CONNECT_ERRORS}exception.message`]: Buffer.from(readableMessage(error.message)),
  };
}

/** Writes the headers as spring-kafka's `DeadLetterPublishingRecoverer` does: numbers big-endian, as in Java. */
function springHeaders(source: FailedRecord, error: PartituraError): RecordHeaders {
  return {
    [`${SPRING_DEAD_LETTER}original-topic`]: Buffer.from(source.topic),
    [`${SPRING_DEAD_LETTER}original-partition`]: int32(source.partition),
    [`${SPRING_DEAD_LETTER}original-offset`]: int64(source.offset),
    [`${SPRING_DEAD_LETTER}original-timestamp`]: int64(source.timestamp),
    [`${SPRING_DEAD_LETTER}exception-fqcn`]: Buffer.from(error.code),
    [`${SPRING_DEAD_LETTER}exception-message`]: Buffer.from(readableMessage(error.message)),
  };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
