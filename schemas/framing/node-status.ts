import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Schema } from 'avsc';
import type { AvroReader } from '../avro/codec.js';
import { nodeStatusCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import type { NodeStatus } from '../generated.js';
import { headerBytes, type RecordHeaders } from './framing.js';
import { decodeSingleObject, writtenFingerprint } from './single-object.js';

/**
 * Node statuses between programs of different versions. A record carries the schema that it is written with, compressed, in
 * a header with the name that Avro's container files give it: neither side has to know the other's version.
 */
const SCHEMA_HEADER = 'avro.schema';
const MAX_SCHEMA_BYTES = 64 * 1024;
const MAX_PACKED_BYTES = 16 * 1024;
/** Schemas that are looked at, in the life of a process: whoever may write to the topic decides how many come. */
const MAX_SCHEMAS = 64;

const prefix = Buffer.concat([Buffer.from([0xc3, 0x01]), nodeStatusCodec.fingerprint]);
const readers = new Map<string, AvroReader<NodeStatus>>();
/** Headers whose schema is of no use, each with the fingerprint beside it. */
const useless = new Set<string>();

/** Headers of a record with a status of this version. */
export const NODE_STATUS_HEADERS: Readonly<Record<string, Buffer>> = {
  [SCHEMA_HEADER]: deflateRawSync(nodeStatusCodec.canonicalSchema),
};

/** Encodes what a node tells of itself as a record's value. */
export function encodeNodeStatus(status: NodeStatus): Buffer {
  return nodeStatusCodec.encode(status, prefix);
}

/**
 * Decodes a status, also one of another version whose record carries its schema.
 * @throws PartituraError DECODE_FAILED
 */
export function decodeNodeStatus(value: Buffer, headers: RecordHeaders = {}): NodeStatus {
  try {
    const written = writtenFingerprint(value);
    if (written && !written.equals(nodeStatusCodec.fingerprint)) learn(written, headers);
    return decodeSingleObject(value, nodeStatusCodec, prefix, 'NodeStatus', readers);
  } catch (cause) {
    throw PartituraError.from(cause, 'DECODE_FAILED');
  }
}

/** Keeps the reader for a schema that a record carries, unless it is known. */
function learn(written: Buffer, headers: RecordHeaders): void {
  const key = written.toString('hex');
  const packed = headerBytes(headers, SCHEMA_HEADER);
  if (readers.has(key) || !packed || packed.length > MAX_PACKED_BYTES) return;
  const attempt = `${key} ${packed.toString('latin1')}`;
  if (useless.has(attempt) || readers.size + useless.size >= MAX_SCHEMAS) return;
  const reader = readerOf(packed);
  if (reader?.fingerprint.equals(written)) readers.set(key, reader);
  else useless.add(attempt);
}

/** @returns undefined for what is no schema, or none that resolves to ours */
function readerOf(packed: Buffer): AvroReader<NodeStatus> | undefined {
  try {
    const schema = inflateRawSync(packed, { maxOutputLength: MAX_SCHEMA_BYTES }).toString('utf8');
    return nodeStatusCodec.readerFor(JSON.parse(schema) as Schema);
  } catch {
    return undefined;
  }
}
