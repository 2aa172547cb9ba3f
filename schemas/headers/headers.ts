import type { RecordHeaders } from '../framing/framing.js';
import { fromList, headersInOrder, listOf, type Headers, type ListedHeaders } from './header-list.js';
import type { PartituraError } from '../errors.js';

/** Names of headers that Partitura reads and writes, apart from those of the reply dialects. */
export const INFERENCE_ERROR = 'inference-error';
/** How often a record was sent again after it had become a dead letter: decimal text. */
export const REPLAYS = 'partitura-replays';
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** The trace context of a request, which its reply carries on. */
export function copyTraceHeaders(from: RecordHeaders, to: RecordHeaders): void {
  for (const name of TRACE_HEADERS) {
    const value = from[name];
    if (value !== undefined) to[name] = value;
  }
}

/** Where a record failed, in the words of the Kafka Connect headers. */
export type FailureStage = 'decode' | 'validate' | 'model' | 'reply';

/** Messages may quote what a sender wrote; a record has room for its headers, not for that twice. */
const MAX_MESSAGE_CHARACTERS = 4_096;

/** As much of an error's message as belongs into a header. */
export function readableMessage(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARACTERS);
}

/** What the headers of dead letters begin with, by whoever writes them so. */
export const CONNECT_ERRORS = '__connect.errors.';
export const SPRING_DEAD_LETTER = 'kafka_dlt-';
/** Says of a dead letter that it is without its value, and why: it was larger than its topic takes, or can't be read. */
export const VALUE_DROPPED = `${CONNECT_ERRORS}value.dropped`;

/** Names of the headers that nodes add in each style, the first of which says where the record was. */
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

/** Whose headers dead letters have: Kafka Connect's, spring-kafka's, or both. */
export const DEAD_LETTER_STYLES = ['connect', 'spring', 'both'] as const;
export type DeadLetterStyle = (typeof DEAD_LETTER_STYLES)[number];

/** A record that failed, as its dead letter tells of it. */
export interface FailedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
}

/** Headers that a dead letter has on top of its original ones. */
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

/** Headers of a dead letter: those of the record as they are, and ours behind them. Who reads goes by the last of a name. */
export function withDeadLetterHeaders(
  record: FailedRecord & Headers,
  stage: FailureStage,
  error: PartituraError,
  style: DeadLetterStyle,
): ListedHeaders {
  const ours = listOf(deadLetterHeaders(record, stage, error, style));
  return fromList([...headersInOrder(record), ...ours]);
}

/** As `errors.deadletterqueue.context.headers.enable` has Kafka Connect write them (KIP-298): all of them text. */
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

/** As spring-kafka's `DeadLetterPublishingRecoverer` writes them: numbers big-endian, as Java's. */
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
