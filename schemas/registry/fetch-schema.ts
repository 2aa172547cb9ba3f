import type { Schema } from 'avsc';
import type { SchemaKey } from '../framing/confluent.js';
import type { SchemaReference, SchemaRegistry, StoredSchema } from './client.js';

/** An Avro schema of a registry with everything needed to parse it. */
export interface FetchedSchema {
  readonly schema: Schema;
  /** Schema text as stored in the registry. */
  readonly text: string;
  readonly references: readonly SchemaReference[];
  /** Referenced schemas, in order of dependency. */
  readonly definitions: readonly Schema[];
}

/** @throws RegistryError; Error if it is not an Avro schema */
export async function fetchSchema(registry: SchemaRegistry, key: SchemaKey): Promise<FetchedSchema> {
  const stored = await (typeof key === 'number' ? registry.schemaById(key) : registry.schemaByGuid(key));
  const schema = avroOf(stored);
  const references = stored.references ?? [];
  const definitions = new Map<string, Schema>();
  await collect(registry, references, definitions);
  return { schema, text: stored.schema, references, definitions: [...definitions.values()] };
}

async function collect(
  registry: SchemaRegistry,
  references: readonly SchemaReference[],
  definitions: Map<string, Schema>,
): Promise<void> {
  for (const reference of references) {
    const name = `${reference.subject} ${reference.version}`;
    if (definitions.has(name)) continue;
    const stored = await registry.referenced(reference);
    await collect(registry, stored.references ?? [], definitions);
    definitions.set(name, avroOf(stored));
  }
}

function avroOf({ schema, schemaType }: StoredSchema): Schema {
  const type = schemaType ?? 'AVRO';
  if (type !== 'AVRO') throw new Error(`expected Avro, got ${type}`);
  return JSON.parse(schema) as Schema;
}
