import { headerBytes, headerText, type RecordHeaders } from '../framing/framing.js';
import { INFERENCE_ERROR, readableMessage } from './headers.js';

/** Where a sender wants its reply. */
export interface ReplyAddress {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  /** Echoed verbatim, never decoded. */
  readonly correlation: Buffer | undefined;
}

/** What a reply's headers tell of an error. */
export interface MarkedError {
  readonly code: string;
  readonly message: string;
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
  write(address: ReplyAddress, error: MarkedError | null): RecordHeaders;
}

/** The headers by which a dialect says these things. */
interface Names {
  readonly correlation: string;
  readonly topic: string;
  readonly partition: string;
}

const PLAIN: Names = { correlation: 'correlation-id', topic: 'reply-to', partition: 'reply-partition' };
/** spring-kafka's `KafkaHeaders`, whose names NestJS has taken over. */
const SPRING: Names = {
  correlation: 'kafka_correlationId',
  topic: 'kafka_replyTopic',
  partition: 'kafka_replyPartition',
};
/** `KafkaRequestReply` of SmallRye Reactive Messaging, which Quarkus uses. */
const SMALLRYE: Names = {
  correlation: 'REPLY_CORRELATION_ID',
  topic: 'REPLY_TOPIC',
  partition: 'REPLY_PARTITION',
};
/** `KafkaHeaders` of @nestjs/microservices. */
const NEST_ERROR = 'kafka_nest-err';
const NEST_IS_DISPOSED = 'kafka_nest-is-disposed';

/** `correlation-id`, `reply-to` and `reply-partition` (decimal text); also where a request names nothing. */
export const plainDialect: ReplyDialect = dialect('plain', PLAIN, () => true);

/** `ReplyingKafkaTemplate`: partitions are four bytes. */
export const springDialect: ReplyDialect = dialect('spring', SPRING, (headers) => has(headers, SPRING));

export const smallRyeDialect: ReplyDialect = dialect('smallrye', SMALLRYE, (headers) =>
  has(headers, SMALLRYE),
);

/**
 * `ClientKafka`: Spring's names, but the partition is text, and always there. Its caller waits until it is told that a
 * reply is the last, and takes an error from a header of its own, as what `RpcException` would have been.
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

/** In the order in which they are tried: the more specific first. */
const DIALECTS: readonly ReplyDialect[] = [nestDialect, springDialect, smallRyeDialect, plainDialect];

/** Whether a header says where the reply goes, or how its caller recognises it. */
export function addressesReply(name: string): boolean {
  return ADDRESSES.has(name);
}

/** The dialect of a request's headers; plain when nothing else is recognised. */
export function detectDialect(headers: RecordHeaders): ReplyDialect {
  return DIALECTS.find((one) => one.detects(headers)) ?? plainDialect;
}

/** Headers by which a caller asks for its reply in the plain dialect. */
export function replyTo(topic: string, partition: number, correlation: string): RecordHeaders {
  return {
    [PLAIN.correlation]: Buffer.from(correlation),
    [PLAIN.topic]: Buffer.from(topic),
    [PLAIN.partition]: Buffer.from(String(partition)),
  };
}

/** The correlation id of a reply in the plain dialect. */
export function correlationOf(headers: RecordHeaders): string | undefined {
  return headerText(headers, PLAIN.correlation);
}

/**
 * All ASCII digits: decimal. Else exactly four bytes: a big-endian int32. Anything else: NaN, for the
 * caller to refuse. Undefined when there is no such header, or an empty one.
 */
export function parsePartition(bytes: Buffer | undefined): number | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  if (isDecimal(bytes)) return Number(bytes.toString('latin1'));
  return bytes.length === 4 ? bytes.readInt32BE(0) : NaN;
}

function isDecimal(bytes: Buffer | undefined): boolean {
  return bytes !== undefined && /^[0-9]+$/.test(bytes.toString('latin1'));
}

/** A caller that only wants to match replies on the default topic names no topic. */
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
