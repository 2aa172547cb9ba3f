import { topicNames } from '../../../cluster/topics.js';
import type { Config } from '../../../core/config/config.js';
import { RegistryError, SchemaRegistry } from '../../../schemas/registry/client.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../../schemas/registry/self-contained.js';
import type { RegistryFacts, SubjectFacts } from '../checks/registry.js';

/** Reads the subjects of these models from the registry; undefined if none is configured. */
export async function collectRegistry(
  { prefix, schemaRegistryUrl: url, schemaRegistryUserInfo: userInfo }: Config,
  models: readonly string[],
): Promise<RegistryFacts | undefined> {
  if (url === undefined) return undefined;
  const registry = new SchemaRegistry(url, userInfo);
  const { address } = registry;
  const names = topicNames(prefix);
  const startedAt = Date.now();
  const ms = (): number => Date.now() - startedAt;
  const subjects: SubjectFacts[] = [];
  try {
    await registry.subjects();
    const answeredIn = ms();
    for (const model of models) {
      subjects.push(await collectSubject(registry, model, names.requestsSubject(model), REQUEST_SCHEMA));
      subjects.push(await collectSubject(registry, model, names.repliesSubject(model), REPLY_SCHEMA));
    }
    return { address, ms: answeredIn, error: undefined, subjects };
  } catch (cause) {
    return { address, ms: ms(), error: cause as Error, subjects };
  }
}

async function collectSubject(
  registry: SchemaRegistry,
  model: string,
  subject: string,
  schema: typeof REPLY_SCHEMA,
): Promise<SubjectFacts> {
  const isRegistered = await registry.find(subject, schema).then(
    () => true,
    (error: unknown) => {
      if (error instanceof RegistryError && error.kind === 'unknown') return false;
      throw error;
    },
  );
  return { model, subject, isRegistered, compatibility: await registry.compatibility(subject) };
}
