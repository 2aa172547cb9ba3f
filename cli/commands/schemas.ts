import { scanRepository } from '../../consumers/models/repository.js';
import type { Config } from '../../core/config.js';
import { registerSchemas } from '../../core/register-schemas.js';
import { topicNames } from '../../core/topics.js';
import { PartituraError } from '../../schemas/errors.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import { print, printJson, table } from '../output.js';

export interface SchemasFlags {
  readonly json: boolean;
}

/**
 * Registers the schemas of requests and replies of these models, or of all in the model repository when none is named.
 * @throws Error when there is no registry, or it refuses
 */
export async function runRegister(
  config: Config,
  models: readonly string[],
  { json }: SchemasFlags,
): Promise<void> {
  const registry = registryOf(config);
  const topics = topicNames(config.prefix);
  const registered = [];
  for (const model of models.length > 0 ? models : await allModels(config)) {
    const { requests, replies } = await registerSchemas(registry, topics, model);
    registered.push(requests, replies);
  }
  if (json) return printJson(registered.map(({ subject, id, version }) => ({ subject, id, version })));
  const rows = registered.map(({ subject, id, version }) => [subject, String(id), String(version)]);
  print(table(['SUBJECT', 'ID', 'VERSION'], rows));
}

function registryOf({ schemaRegistryUrl: url, schemaRegistryUserInfo: userInfo }: Config): SchemaRegistry {
  if (url !== undefined) return new SchemaRegistry(url, userInfo);
  throw new PartituraError(
    'INVALID_REQUEST',
    'schema registry: expected its address in SCHEMA_REGISTRY_URL or --schema-registry-url, got none',
  );
}

async function allModels({ models }: Config): Promise<string[]> {
  return [...(await scanRepository(models)).keys()].sort();
}
