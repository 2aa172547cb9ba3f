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
const MAX_SCHEMA_BYTES = 256 * 1024;
/** More versions than a cluster has at once; whoever may write to the topic decides how many come. */
const MAX_READERS = 16;

const prefix = Buffer.concat([Buffer.from([0xc3, 0x01]), nodeStatusCodec.fingerprint]);
const readers = new Map<string, AvroReader<NodeStatus>>();

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
  if (readers.has(key) || !packed) return;
  const schema = inflateRawSync(packed, { maxOutputLength: MAX_SCHEMA_BYTES }).toString('utf8');
  const reader = nodeStatusCodec.readerFor(JSON.parse(schema) as Schema);
  if (!reader.fingerprint.equals(written)) return;
  if (readers.size >= MAX_READERS) readers.clear();
  readers.set(key, reader);
}
