import type { AvroReader } from '../avro/codec.js';
import { requestCodec } from '../codecs.js';
import type { SchemaKey } from '../framing/confluent.js';
import type { InferenceRequest } from '../generated.js';
import type { SchemaRegistry } from './client.js';
import { fetchSchema } from './fetch-schema.js';

/**
 * Creates a reader for requests written with a schema of the registry.
 * @throws RegistryError; Error if it is not an Avro schema or cannot be resolved to ours
 */
export async function requestReader(
  registry: SchemaRegistry,
  key: SchemaKey,
): Promise<AvroReader<InferenceRequest>> {
  const { schema, definitions } = await fetchSchema(registry, key);
  return requestCodec.readerFor(schema, definitions);
}
