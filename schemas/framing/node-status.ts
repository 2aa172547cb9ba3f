import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Schema } from 'avsc';
import type { AvroReader } from '../avro/codec.js';
import { nodeStatusCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import type { NodeStatus } from '../generated.js';
import { headerBytes, type RecordHeaders } from './framing.js';
import { decodeSingleObject, writtenFingerprint, type SingleObjectType } from './single-object.js';

/**
 * Node statuses across versions. A record carries its writer's schema, compressed, in a header named as in Avro's
 * container files, so that neither side needs to know the other's version.
 */
const SCHEMA_HEADER = 'avro.schema';
const MAX_SCHEMA_BYTES = 64 * 1024;
const MAX_PACKED_BYTES = 16 * 1024;
/** Limit of schemas examined during the lifetime of a process: producers to the topic decide how many arrive. */
const MAX_SCHEMAS = 64;

const readers = new Map<string, AvroReader<NodeStatus>>();
const nodeStatuses: SingleObjectType<NodeStatus> = {
  record: 'NodeStatus',
  codec: nodeStatusCodec,
  prefix: Buffer.concat([Buffer.from([0xc3, 0x01]), nodeStatusCodec.fingerprint]),
  readers,
};
/** Headers with unusable schemas, together with the fingerprint. */
const unusable = new Set<string>();

/** Headers of a record with a status of this version. */
export const NODE_STATUS_HEADERS: Readonly<Record<string, Buffer>> = {
  [SCHEMA_HEADER]: deflateRawSync(nodeStatusCodec.canonicalSchema),
};

/** Encodes a node's status as a record's value. */
export function encodeNodeStatus(status: NodeStatus): Buffer {
  return nodeStatusCodec.encode(status, nodeStatuses.prefix);
}

/**
 * Decodes a status, including one of another version if its record carries the schema.
 * @throws PartituraError DECODE_FAILED
 */
export function decodeNodeStatus(value: Buffer, headers: RecordHeaders = {}): NodeStatus {
  try {
    const written = writtenFingerprint(value);
    if (written && !written.equals(nodeStatusCodec.fingerprint)) acceptSchema(written, headers);
    return decodeSingleObject(value, nodeStatuses);
  } catch (cause) {
    throw PartituraError.from(cause, 'DECODE_FAILED');
  }
}

/** Caches a reader for the schema that a record carries. */
function acceptSchema(written: Buffer, headers: RecordHeaders): void {
  const key = written.toString('hex');
  const packed = headerBytes(headers, SCHEMA_HEADER);
  if (readers.has(key) || !packed || packed.length > MAX_PACKED_BYTES) return;
  const attempt = `${key} ${packed.toString('latin1')}`;
  if (unusable.has(attempt) || readers.size + unusable.size >= MAX_SCHEMAS) return;
  const reader = readerOf(packed);
  if (reader?.fingerprint.equals(written)) readers.set(key, reader);
  else unusable.add(attempt);
}

/** @returns undefined for an invalid or incompatible schema */
function readerOf(packed: Buffer): AvroReader<NodeStatus> | undefined {
  try {
    const schema = inflateRawSync(packed, { maxOutputLength: MAX_SCHEMA_BYTES }).toString('utf8');
    return nodeStatusCodec.readerFor(JSON.parse(schema) as Schema);
  } catch {
    return undefined;
  }
}
