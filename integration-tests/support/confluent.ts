import assert from 'node:assert/strict';
import type { Schema } from 'avsc';
import { AvroCodec } from '../../schemas/avro/codec.js';
import type { SchemaRegistry } from '../../schemas/registry/client.js';

const PREFIX_BYTES = 5;

/** Encodes a value like a Confluent serializer. */
export function framed(id: number, schema: Schema, value: object): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeInt32BE(id, 1);
  return new AvroCodec<object>(schema).encode(value, prefix);
}

/** Decodes a value like a Confluent deserializer, with the schema named by its first bytes. */
export async function unframed<T>(registry: SchemaRegistry, value: Buffer | null | undefined): Promise<T> {
  assert.ok(value && value[0] === 0, 'a value in the wire format');
  const { schema } = await registry.schemaById(value.readInt32BE(1));
  return new AvroCodec<T>(JSON.parse(schema) as Schema).decode(value, PREFIX_BYTES);
}
