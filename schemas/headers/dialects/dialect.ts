import { headerBytes, headerText, type RecordHeaders } from '../../framing/framing.js';
import { INFERENCE_ERROR } from '../headers.js';

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
  /** Headers that hold the reply address or the correlation id. */
  readonly addressHeaders: readonly string[];
  detects(headers: RecordHeaders): boolean;
  read(headers: RecordHeaders): ReplyAddress;
  /** Returns headers by which the caller matches the reply and detects errors. */
  write(address: ReplyAddress, error: MarkedError | null): RecordHeaders;
}

/** Header names of a dialect. */
export interface Names {
  readonly correlation: string;
  readonly topic: string;
  readonly partition: string;
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

export function isDecimal(bytes: Buffer | undefined): boolean {
  return bytes !== undefined && /^[0-9]+$/.test(bytes.toString('latin1'));
}

/** Returns true if the dialect's headers are present; with the default reply topic, only a correlation id is sent. */
export function has(headers: RecordHeaders, { correlation, topic }: Names): boolean {
  return headers[topic] !== undefined || headers[correlation] !== undefined;
}

/** Defines a dialect that differs only by its names. */
export function dialect(name: string, names: Names, detects: ReplyDialect['detects']): ReplyDialect {
  return {
    name,
    addressHeaders: [names.correlation, names.topic, names.partition],
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
