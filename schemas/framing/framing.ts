import type { InferenceReply, InferenceRequest } from '../generated.js';

/** Headers of a Kafka record; a repeated name has an array. */
export type RecordHeaders = Record<string, Buffer | Buffer[] | undefined>;

/** Key and headers of a record. */
export interface Envelope {
  readonly key: Buffer | null;
  readonly headers: RecordHeaders;
}

/** Content of a reply in any framing, without its tensors. */
export interface ReplySummary extends Pick<InferenceReply, 'id' | 'modelVersion' | 'node' | 'timing'> {
  /** As far as the framing carries it: JSON has only the message, and the code is in a header. */
  readonly error: { readonly code: string | undefined; readonly message: string } | null;
}

/**
 * Encoding of requests and replies in a record's value. Detected per record; a reply uses the framing of its request.
 */
export interface Framing {
  readonly name: string;
  /** Headers that describe the value to other programs. */
  readonly headers: Readonly<Record<string, string | Buffer>>;
  /** Headers that depend on the reply. */
  headersOf?(reply: InferenceReply): Readonly<Record<string, string>>;
  /** Returns true if a value is in this framing; called only if no earlier framing matched. */
  detects(value: Buffer, headers: RecordHeaders): boolean;
  /**
   * @param model the topic's model, for framings that do not name one
   * @throws PartituraError DECODE_FAILED or INVALID_REQUEST
   */
  decodeRequest(value: Buffer, model: string, envelope: Envelope): InferenceRequest;
  encodeReply(reply: InferenceReply): Buffer;
  /** Reads a reply, for tracing. @throws Error for anything that is not a reply, or an Avro reply of another version */
  readReply(value: Buffer, headers: RecordHeaders): ReplySummary;
}

/** Returns the last value of a header as text. */
export function headerText(headers: RecordHeaders, name: string): string | undefined {
  return headerBytes(headers, name)?.toString('utf8');
}

/** Returns the last value of a header, verbatim; like Java's `Headers.lastHeader`, it ignores earlier values. */
export function headerBytes(headers: RecordHeaders, name: string): Buffer | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.at(-1) : value;
}
