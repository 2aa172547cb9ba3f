import type { InferenceReply, InferenceRequest } from '../generated.js';

/** Headers of a Kafka record; a name that occurs several times has an array. */
export type RecordHeaders = Record<string, Buffer | Buffer[] | undefined>;

/** What a record has beside its value. */
export interface Envelope {
  readonly key: Buffer | null;
  readonly headers: RecordHeaders;
}

/**
 * How requests and replies are laid out in a record's value. Detected per record; a reply goes back in
 * the framing of its request.
 */
export interface Framing {
  readonly name: string;
  /** Headers that say to a stranger what the value is. */
  readonly headers: Readonly<Record<string, string | Buffer>>;
  /** The same for what differs from reply to reply. */
  headersOf?(reply: InferenceReply): Readonly<Record<string, string>>;
  /** Whether a value is in this framing; only asked when the framings before it said no. */
  detects(value: Buffer, headers: RecordHeaders): boolean;
  /**
   * @param model the model that the topic belongs to, for framings that do not name one
   * @throws PartituraError DECODE_FAILED or INVALID_REQUEST
   */
  decodeRequest(value: Buffer, model: string, envelope: Envelope): InferenceRequest;
  encodeReply(reply: InferenceReply): Buffer;
}

/** The last value of a header as text. */
export function headerText(headers: RecordHeaders, name: string): string | undefined {
  return headerBytes(headers, name)?.toString('utf8');
}

/** The last value of a header, verbatim: of one that repeats the last counts, as Java's `Headers.lastHeader` has it. */
export function headerBytes(headers: RecordHeaders, name: string): Buffer | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.at(-1) : value;
}
