import type { Schema } from 'avsc';
import type { AvroReader } from '../avro/codec.js';
import { requestCodec } from '../codecs.js';
import type { SchemaKey } from '../framing/confluent.js';
import type { InferenceRequest } from '../generated.js';
import type { SchemaReference, SchemaRegistry, StoredSchema } from './client.js';

/**
 * How to read requests that were written with this schema of the registry.
 * @throws RegistryError; Error when it is no Avro schema or can't be resolved to ours
 */
export async function requestReader(
  registry: SchemaRegistry,
  key: SchemaKey,
): Promise<AvroReader<InferenceRequest>> {
  const stored = await (typeof key === 'number' ? registry.schemaById(key) : registry.schemaByGuid(key));
  const writer = avroOf(stored);
  const definitions = new Map<string, Schema>();
  await collect(registry, stored.references, definitions);
  return requestCodec.readerFor(writer, [...definitions.values()]);
}

/** What is named, each after what it names itself. */
async function collect(
  registry: SchemaRegistry,
  references: readonly SchemaReference[] = [],
  definitions: Map<string, Schema>,
): Promise<void> {
  for (const reference of references) {
    const name = `${reference.subject} ${reference.version}`;
    if (definitions.has(name)) continue;
    const stored = await registry.referenced(reference);
    await collect(registry, stored.references, definitions);
    definitions.set(name, avroOf(stored));
  }
}

function avroOf({ schema, schemaType = 'AVRO' }: StoredSchema): Schema {
  if (schemaType !== 'AVRO') throw new Error(`expected Avro, got ${schemaType}`);
  return JSON.parse(schema) as Schema;
}
