import { headerBytes, headerText, type RecordHeaders } from '../framing/framing.js';
import { INFERENCE_ERROR, readableMessage } from './headers.js';

/** Reply destination of a sender. */
export interface ReplyAddress {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  /** Echoed verbatim, never decoded. */
  readonly correlation: Buffer | undefined;
}

/** An error as marked in a reply's headers. */
export interface MarkedError {
  readonly code: string;
  readonly message: string;
}

/** A header convention by which callers of one ecosystem request and recognize replies; replies use it, too. */
export interface ReplyDialect {
  readonly name: string;
  detects(headers: RecordHeaders): boolean;
  read(headers: RecordHeaders): ReplyAddress;
  /** Returns headers by which the caller matches the reply and detects errors. */
  write(address: ReplyAddress, error: MarkedError | null): RecordHeaders;
}

/** Header names of a dialect. */
interface Names {
  readonly correlation: string;
  readonly topic: string;
  readonly partition: string;
}

const PLAIN: Names = { correlation: 'correlation-id', topic: 'reply-to', partition: 'reply-partition' };
/** spring-kafka's `KafkaHeaders`, whose names NestJS has adopted. */
const SPRING: Names = {
  correlation: 'kafka_correlationId',
  topic: 'kafka_replyTopic',
  partition: 'kafka_replyPartition',
};
/** `KafkaRequestReply` of SmallRye Reactive Messaging, used by Quarkus. */
const SMALLRYE: Names = {
  correlation: 'REPLY_CORRELATION_ID',
  topic: 'REPLY_TOPIC',
  partition: 'REPLY_PARTITION',
};
/** `KafkaHeaders` of @nestjs/microservices. */
const NEST_ERROR = 'kafka_nest-err';
const NEST_IS_DISPOSED = 'kafka_nest-is-disposed';

/** `correlation-id`, `reply-to` and `reply-partition` (decimal text); also for requests without a reply address. */
export const plainDialect: ReplyDialect = dialect('plain', PLAIN, () => true);

/** `ReplyingKafkaTemplate`: partitions are four bytes. */
export const springDialect: ReplyDialect = dialect('spring', SPRING, (headers) => has(headers, SPRING));

export const smallRyeDialect: ReplyDialect = dialect('smallrye', SMALLRYE, (headers) =>
  has(headers, SMALLRYE),
);

/**
 * `ClientKafka`: Spring's names, but the partition is text and always present. Its caller waits for a header that
 * marks the last reply, and reads errors from a header of its own, formatted like an `RpcException`.
 */
export const nestDialect: ReplyDialect = {
  ...dialect(
    'nest',
    SPRING,
    (headers) => has(headers, SPRING) && isDecimal(headerBytes(headers, SPRING.partition)),
  ),

  write(address, error) {
    const headers = springDialect.write(address, error);
    headers[NEST_IS_DISPOSED] = Buffer.alloc(1);
    if (error) headers[NEST_ERROR] = Buffer.from(nestError(error));
    return headers;
  },
};

function nestError({ code, message }: MarkedError): string {
  return JSON.stringify({ status: 'error', code, message: readableMessage(message) });
}

const ADDRESSES: ReadonlySet<string> = new Set(
  [PLAIN, SPRING, SMALLRYE].flatMap(({ correlation, topic, partition }) => [correlation, topic, partition]),
);

/** Dialects in order of detection: more specific ones first. */
const DIALECTS: readonly ReplyDialect[] = [nestDialect, springDialect, smallRyeDialect, plainDialect];

/** Returns true for headers that hold the reply address or the correlation id. */
export function addressesReply(name: string): boolean {
  return ADDRESSES.has(name);
}

/** Detects the dialect of a request's headers; plain if no other matches. */
export function detectDialect(headers: RecordHeaders): ReplyDialect {
  return DIALECTS.find((one) => one.detects(headers)) ?? plainDialect;
}

/** Creates the headers that request a reply in the plain dialect. */
export function replyTo(topic: string, partition: number, correlation: string): RecordHeaders {
  return {
    [PLAIN.correlation]: Buffer.from(correlation),
    [PLAIN.topic]: Buffer.from(topic),
    [PLAIN.partition]: Buffer.from(String(partition)),
  };
}

/** Returns the correlation id of a reply in the plain dialect. */
export function correlationOf(headers: RecordHeaders): string | undefined {
  return headerText(headers, PLAIN.correlation);
}

/**
 * Parses a partition. Only ASCII digits: decimal. Otherwise exactly four bytes: a big-endian int32. Anything else:
 * NaN, for the caller to refuse. Undefined if the header is missing or empty.
 */
export function parsePartition(bytes: Buffer | undefined): number | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  if (isDecimal(bytes)) return Number(bytes.toString('latin1'));
  return bytes.length === 4 ? bytes.readInt32BE(0) : NaN;
}

function isDecimal(bytes: Buffer | undefined): boolean {
  return bytes !== undefined && /^[0-9]+$/.test(bytes.toString('latin1'));
}

/** Returns true if the dialect's headers are present; with the default reply topic, only a correlation id is sent. */
function has(headers: RecordHeaders, { correlation, topic }: Names): boolean {
  return headers[topic] !== undefined || headers[correlation] !== undefined;
}

function dialect(name: string, names: Names, detects: ReplyDialect['detects']): ReplyDialect {
  return {
    name,
    detects,
    read: (headers) => ({
      topic: headerText(headers, names.topic) || undefined,
      partition: parsePartition(headerBytes(headers, names.partition)),
      correlation: headerBytes(headers, names.correlation),
    }),
    write({ correlation }, error) {
      const headers: RecordHeaders = {};
      if (correlation) headers[names.correlation] = correlation;
      if (error) headers[INFERENCE_ERROR] = Buffer.from(error.code);
      return headers;
    },
  };
}
