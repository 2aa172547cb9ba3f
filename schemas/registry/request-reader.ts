import type { AvroReader } from '../avro/codec.js';
import { requestCodec } from '../codecs.js';
import type { SchemaKey } from '../framing/confluent.js';
import type { InferenceRequest } from '../generated.js';
import type { SchemaRegistry } from './client.js';
import { fetchSchema } from './fetch-schema.js';

/**
 * How to read requests that were written with this schema of the registry.
 * @throws RegistryError; Error when it is no Avro schema or can't be resolved to ours
 */
export async function requestReader(
  registry: SchemaRegistry,
  key: SchemaKey,
): Promise<AvroReader<InferenceRequest>> {
  const { schema, definitions } = await fetchSchema(registry, key);
  return requestCodec.readerFor(schema, definitions);
}
