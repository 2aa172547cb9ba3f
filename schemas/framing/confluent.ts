import type { AvroReader } from '../avro/codec.js';
import { replyCodec, requestCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import type { InferenceReply, InferenceRequest } from '../generated.js';
import { headerBytes, type Framing, type RecordHeaders, type ReplySummary } from './framing.js';
import { singleObject } from './single-object.js';

/**
 * Confluent's wire formats, which identify the writer's schema by its id in a registry:
 *
 *   value:  00, schema id (4 bytes, big-endian), Avro
 *   header: __value_schema_id = 01, GUID (16 bytes); the value is Avro alone
 *
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */
export const ID_MARK = 0x00;
export const ID_PREFIX_BYTES = 5;
export const GUID_HEADER = '__value_schema_id';
const GUID_MARK = 0x01;
const GUID_HEADER_BYTES = 17;

/** Identifier of a schema in a registry: its id or its GUID. */
export type SchemaKey = number | string;

/** Schema reference of a record. */
export interface SchemaLabel {
  readonly key: SchemaKey;
  /** Offset of the Avro data in the value. */
  readonly start: number;
}

/** Schema reference of a reply: a prefix of the value or a header. */
export interface ReplyLabel {
  readonly prefix: Buffer;
  readonly headers: Framing['headers'];
}

/** Placeholder for these framings without a registry: nothing can be read. */
export const confluent: Framing = {
  name: 'confluent',
  headers: singleObject.headers,
  detects: isConfluent,
  decodeRequest() {
    throw new PartituraError(
      'DECODE_FAILED',
      'value: its schema is in a schema registry, but none is configured: set SCHEMA_REGISTRY_URL',
    );
  },
  encodeReply: (reply) => singleObject.encodeReply(reply),

  readReply: (value, headers) =>
    replyCodec.decode(value, headers[GUID_HEADER] === undefined ? ID_PREFIX_BYTES : 0),
};

function isConfluent(value: Buffer, headers: RecordHeaders): boolean {
  return value[0] === ID_MARK || headers[GUID_HEADER] !== undefined;
}

/** Reads the label of a record that `confluent` detects, or returns the error. */
export function schemaLabel(value: Buffer, headers: RecordHeaders): SchemaLabel | PartituraError {
  const header = headerBytes(headers, GUID_HEADER);
  return header ? guidLabel(header) : idLabel(value);
}

function guidLabel(header: Buffer): SchemaLabel | PartituraError {
  if (header.length === GUID_HEADER_BYTES && header[0] === GUID_MARK)
    return { key: toGuid(header.toString('hex', 1)), start: 0 };
  return new PartituraError(
    'DECODE_FAILED',
    `header ${GUID_HEADER}: expected 01 and a GUID of 16 bytes, got ${header.toString('hex', 0, GUID_HEADER_BYTES) || 'nothing'}`,
  );
}

function idLabel(value: Buffer): SchemaLabel | PartituraError {
  const id = value.length < ID_PREFIX_BYTES ? -1 : value.readInt32BE(1);
  if (id >= 0) return { key: id, start: ID_PREFIX_BYTES };
  return new PartituraError(
    'DECODE_FAILED',
    `value: expected 00 and a schema id of 4 bytes, got ${value.toString('hex', 0, ID_PREFIX_BYTES)}`,
  );
}

/** Inserts the hyphens that registries use in GUIDs. */
function toGuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Creates a label with the schema id in the value. */
export function idReplyLabel(id: number): ReplyLabel {
  const prefix = Buffer.alloc(ID_PREFIX_BYTES, ID_MARK);
  prefix.writeInt32BE(id, 1);
  return { prefix, headers: {} };
}

/** Creates a label with the schema's GUID in a header. */
export function guidReplyLabel(guid: string): ReplyLabel {
  const header = Buffer.from(`01${guid.replaceAll('-', '')}`, 'hex');
  return { prefix: Buffer.alloc(0), headers: { [GUID_HEADER]: header } };
}

/** Framing of one record, once its schema and that of its reply are resolved, or have failed to. */
export class SchemaFraming implements Framing {
  readonly name = 'confluent';
  readonly detects = isConfluent;

  /**
   * @param start offset of the Avro data in the value
   * @param reply if it is an error, the request is not read and the error reply is in single-object encoding
   */
  constructor(
    readonly start: number,
    readonly reader: AvroReader<InferenceRequest> | PartituraError,
    readonly reply: ReplyLabel | PartituraError,
  ) {}

  get headers(): Framing['headers'] {
    return this.reply instanceof PartituraError ? singleObject.headers : this.reply.headers;
  }

  decodeRequest(value: Buffer): InferenceRequest {
    if (this.reader instanceof PartituraError) throw this.reader;
    if (this.reply instanceof PartituraError) throw this.reply;
    try {
      return requestCodec.decode(value, this.start, this.reader);
    } catch (cause) {
      throw PartituraError.from(cause, 'DECODE_FAILED');
    }
  }

  encodeReply(reply: InferenceReply): Buffer {
    if (this.reply instanceof PartituraError) return singleObject.encodeReply(reply);
    return replyCodec.encode(reply, this.reply.prefix);
  }

  readReply(value: Buffer, headers: RecordHeaders): ReplySummary {
    return confluent.readReply(value, headers);
  }
}
