import { headerBytes, headerText, type RecordHeaders } from '../schemas/framing/framing.js';
import type { PartituraError } from '../schemas/errors.js';

/** Names of headers that Partitura reads and writes, apart from those of the reply dialects. */
export const INFERENCE_ERROR = 'inference-error';
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** Where a sender wants its reply. */
export interface ReplyAddress {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  /** Echoed verbatim, never decoded. */
  readonly correlation: Buffer | undefined;
}

/**
 * A convention of headers by which callers of one ecosystem name where the reply goes and recognise it.
 * A reply is given in the dialect of its request.
 */
export interface ReplyDialect {
  readonly name: string;
  detects(headers: RecordHeaders): boolean;
  read(headers: RecordHeaders): ReplyAddress;
  /** Headers that let the caller match the reply and see whether it is an error. */
  write(address: ReplyAddress, error: { readonly code: string } | null): RecordHeaders;
}

const CORRELATION = 'correlation-id';
const REPLY_TO = 'reply-to';
const REPLY_PARTITION = 'reply-partition';

/** `correlation-id`, `reply-to` and `reply-partition` (decimal text); also where a request names nothing. */
export const plainDialect: ReplyDialect = {
  name: 'plain',
  detects: () => true,

  read: (headers) => ({
    topic: headerText(headers, REPLY_TO) || undefined,
    partition: parsePartition(headerBytes(headers, REPLY_PARTITION)),
    correlation: headerBytes(headers, CORRELATION),
  }),

  write(address, error) {
    const headers: RecordHeaders = {};
    if (address.correlation) headers[CORRELATION] = address.correlation;
    if (error) headers[INFERENCE_ERROR] = Buffer.from(error.code);
    return headers;
  },
};

/** In the order in which they are tried. */
const DIALECTS: readonly ReplyDialect[] = [plainDialect];

/** The dialect of a request's headers; plain when nothing else is recognised. */
export function detectDialect(headers: RecordHeaders): ReplyDialect {
  return DIALECTS.find((dialect) => dialect.detects(headers)) ?? plainDialect;
}

/** Headers by which a caller asks for its reply in the plain dialect. */
export function replyTo(topic: string, partition: number, correlation: string): RecordHeaders {
  return {
    [CORRELATION]: Buffer.from(correlation),
    [REPLY_TO]: Buffer.from(topic),
    [REPLY_PARTITION]: Buffer.from(String(partition)),
  };
}

/** The correlation id of a reply in the plain dialect. */
export function correlationOf(headers: RecordHeaders): string | undefined {
  return headerText(headers, CORRELATION);
}

/**
 * All ASCII digits: decimal. Else exactly four bytes: a big-endian int32. Anything else: NaN, for the
 * caller to refuse. Undefined when there is no such header, or an empty one.
 */
export function parsePartition(bytes: Buffer | undefined): number | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const text = bytes.toString('latin1');
  if (/^[0-9]+$/.test(text)) return Number(text);
  return bytes.length === 4 ? bytes.readInt32BE(0) : NaN;
}

/** The trace context of a request, which its reply carries on. */
export function copyTraceHeaders(from: RecordHeaders, to: RecordHeaders): void {
  for (const name of TRACE_HEADERS) {
    const value = from[name];
    if (value !== undefined) to[name] = value;
  }
}

/** Where a record failed, in the words of the Kafka Connect headers. */
export type FailureStage = 'decode' | 'validate' | 'model' | 'reply';

/** Messages may quote what a sender wrote; the topic has room for a dead letter's headers, not for that twice. */
const MAX_MESSAGE_CHARACTERS = 4_096;

/** Headers that a dead letter has on top of its original ones, in the style of Kafka Connect. */
export function deadLetterHeaders(
  source: { topic: string; partition: number; offset: number },
  stage: FailureStage,
  error: PartituraError,
): RecordHeaders {
  return {
    '__connect.errors.topic': Buffer.from(source.topic),
    '__connect.errors.partition': Buffer.from(String(source.partition)),
    '__connect.errors.offset': Buffer.from(String(source.offset)),
    '__connect.errors.stage': Buffer.from(stage),
    '__connect.errors.exception.class.name': Buffer.from(error.code),
    '__connect.errors.exception.message': Buffer.from(error.message.slice(0, MAX_MESSAGE_CHARACTERS)),
    [INFERENCE_ERROR]: Buffer.from(error.code),
  };
}
