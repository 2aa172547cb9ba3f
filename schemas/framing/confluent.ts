import type { AvroReader } from '../avro/codec.js';
import { replyCodec, requestCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import type { InferenceReply, InferenceRequest } from '../generated.js';
import { headerBytes, type Framing, type RecordHeaders } from './framing.js';
import { singleObject } from './single-object.js';

/**
 * Confluent's wire formats, which name the writer's schema by what a registry knows it by:
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

/** What a registry knows a schema by: its id, or its GUID. */
export type SchemaKey = number | string;

/** What a record says of its schema. */
export interface SchemaLabel {
  readonly key: SchemaKey;
  /** Where in the value the Avro data begin. */
  readonly start: number;
}

/** How a reply says what its schema is. */
export interface ReplyLabel {
  readonly prefix: Buffer;
  readonly headers: Framing['headers'];
}

/** These framings where there is no registry to ask: nothing can be read. */
export const confluent: Framing = {
  name: 'confluent',
  headers: singleObject.headers,
  detects: isConfluent,
  decodeRequest() {
    throw new PartituraError(
      'DECODE_FAILED',
      'value: its schema is in a schema registry, and none is known here: set SCHEMA_REGISTRY_URL',
    );
  },
  encodeReply: (reply) => singleObject.encodeReply(reply),
};

function isConfluent(value: Buffer, headers: RecordHeaders): boolean {
  return value[0] === ID_MARK || headers[GUID_HEADER] !== undefined;
}

/** The label of a record that `confluent` detects, or what is wrong with it. */
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

/** Registries write GUIDs with hyphens. */
function toGuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Says in the value that a reply is written with the schema of this id. */
export function idReplyLabel(id: number): ReplyLabel {
  const prefix = Buffer.alloc(ID_PREFIX_BYTES, ID_MARK);
  prefix.writeInt32BE(id, 1);
  return { prefix, headers: {} };
}

/** Says the same in a header. */
export function guidReplyLabel(guid: string): ReplyLabel {
  const header = Buffer.from(`01${guid.replaceAll('-', '')}`, 'hex');
  return { prefix: Buffer.alloc(0), headers: { [GUID_HEADER]: header } };
}

/** One record's framing, once its schema and that of its reply are known, or why they can't be. */
export class SchemaFraming implements Framing {
  readonly name = 'confluent';
  readonly detects = isConfluent;

  /**
   * @param start where in the value the Avro data begin
   * @param reply without it the reply is in single-object encoding, and an error: the request is not read
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
}
