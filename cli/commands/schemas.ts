import { Argument, type Command } from 'commander';
import { scanRepository } from '../../consumers/models/repository.js';
import type { Config } from '../../core/config/config.js';
import { registerSchemas } from '../../cluster/register-schemas.js';
import { topicNames } from '../../cluster/topics.js';
import { invalidRequest } from '../../schemas/errors.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../schemas/registry/self-contained.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import { withOptions, type ConfigOf } from '../options.js';
import { print, printJson, table } from '../output.js';

interface SchemasFlags {
  readonly json: boolean;
}

/** Records of the public contract, each as one schema without references. */
const RECORDS: Readonly<Record<string, unknown>> = {
  InferenceRequest: REQUEST_SCHEMA,
  InferenceReply: REPLY_SCHEMA,
};

/** Adds `schemas` and its subcommands. */
export function addSchemasCommands(program: Command, configOf: ConfigOf): void {
  const schemas = program
    .command('schemas')
    .description('print and register the schemas of requests and replies');
  addPrint(schemas);
  addRegister(schemas, configOf);
}

function addPrint(schemas: Command): void {
  schemas
    .command('print')
    .addArgument(new Argument('<record>', 'record to print').choices(Object.keys(RECORDS)))
    .description('print the Avro schema of a record as one document without references')
    .addHelpText('after', '\nExample:\n  partitura schemas print InferenceRequest > InferenceRequest.avsc')
    .action((record: string) => print(JSON.stringify(RECORDS[record], null, 2)));
}

function addRegister(schemas: Command, configOf: ConfigOf): void {
  const register = schemas
    .command('register')
    .argument('[models...]', 'models; all in the repository by default')
    .description('register the schemas of models with FULL_TRANSITIVE compatibility');
  withOptions(register, ['schemaRegistryUrl', 'schemaRegistryUserInfo', 'prefix', 'models'])
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  SCHEMA_REGISTRY_URL=http://registry:8081 partitura schemas register digits',
    )
    .action((models: string[], flags: SchemasFlags) => runRegister(configOf({ ...flags }), models, flags));
}

/**
 * Registers the request and reply schemas of these models, or of all models in the repository if none is named.
 * @throws Error if no registry is configured or it rejects a schema
 */
async function runRegister(config: Config, models: readonly string[], { json }: SchemasFlags): Promise<void> {
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
  throw invalidRequest(
    'schema registry: expected an address in SCHEMA_REGISTRY_URL or --schema-registry-url, got none',
  );
}

async function allModels({ models }: Config): Promise<string[]> {
  return [...(await scanRepository(models)).keys()].sort();
}
