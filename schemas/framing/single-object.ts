import type { Schema } from 'avsc';
import type { AvroCodec, AvroReader } from '../avro/codec.js';
import { REQUEST_DEPENDENCIES, replyCodec, requestCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import type { InferenceReply, InferenceRequest } from '../generated.js';
import type { Framing } from './framing.js';

/**
 * Avro single-object encoding: C3 01, the writer's schema fingerprint (CRC-64-AVRO), the value.
 * https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding
 */
const MAGIC = Buffer.from([0xc3, 0x01]);
const HEADER_BYTES = 10;

/** A record type in this encoding. */
export interface SingleObjectType<T> {
  /** Name of the record, for errors. */
  readonly record: string;
  readonly codec: AvroCodec<T>;
  /** Magic and fingerprint of the schema. */
  readonly prefix: Buffer;
  /** Readers for other versions of the schema, by fingerprint. */
  readonly readers?: ReadonlyMap<string, AvroReader<T>>;
}

const requestReaders = new Map<string, AvroReader<InferenceRequest>>();
const requests: SingleObjectType<InferenceRequest> = {
  record: 'InferenceRequest',
  codec: requestCodec,
  prefix: Buffer.concat([MAGIC, requestCodec.fingerprint]),
  readers: requestReaders,
};
const replies: SingleObjectType<InferenceReply> = {
  record: 'InferenceReply',
  codec: replyCodec,
  prefix: Buffer.concat([MAGIC, replyCodec.fingerprint]),
};

/** Accepts requests written with another version of the schema. */
export function acceptRequestSchema(
  writer: Schema,
  dependencies: readonly Schema[] = REQUEST_DEPENDENCIES,
): void {
  const reader = requestCodec.readerFor(writer, dependencies);
  requestReaders.set(reader.fingerprint.toString('hex'), reader);
}

export const singleObject = {
  name: 'single-object',
  headers: {},

  detects: (value: Buffer) => value.length >= 2 && value[0] === MAGIC[0] && value[1] === MAGIC[1],

  decodeRequest: (value: Buffer) => decodeSingleObject(value, requests),

  encodeReply: (reply: InferenceReply) => replyCodec.encode(reply, replies.prefix),

  readReply: (value: Buffer) => decodeReply(value),
} satisfies Framing;

/** Encodes a request as a record's value, for the client. */
export function encodeRequest(request: InferenceRequest): Buffer {
  return requestCodec.encode(request, requests.prefix);
}

/**
 * Decodes the reply in a record's value, for the client.
 * @throws PartituraError DECODE_FAILED
 */
export function decodeReply(value: Buffer): InferenceReply {
  return decodeSingleObject(value, replies);
}

/** Returns the fingerprint of the schema that a value is written with; undefined if it is truncated. */
export function writtenFingerprint(value: Buffer): Buffer | undefined {
  return value.length >= HEADER_BYTES ? value.subarray(MAGIC.length, HEADER_BYTES) : undefined;
}

/** Decodes a value. @throws PartituraError DECODE_FAILED */
export function decodeSingleObject<T>(
  value: Buffer,
  { record, codec, prefix, readers }: SingleObjectType<T>,
): T {
  try {
    if (value.length >= HEADER_BYTES && value.compare(prefix, 0, HEADER_BYTES, 0, HEADER_BYTES) === 0) {
      return codec.decode(value, HEADER_BYTES);
    }
    const written = value.subarray(2, HEADER_BYTES).toString('hex');
    const reader = readers?.get(written);
    if (!reader)
      throw new RangeError(
        `schema fingerprint ${prefix.toString('hex', 2)} (${record}) expected, got ${written || 'none'}`,
      );
    return codec.decode(value, HEADER_BYTES, reader);
  } catch (cause) {
    throw PartituraError.from(cause, 'DECODE_FAILED');
  }
}
