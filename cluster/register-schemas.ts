import { RegistryError, type RegisteredSchema, type SchemaRegistry } from '../schemas/registry/client.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../schemas/registry/self-contained.js';
import type { TopicNames } from './topics.js';

/** Every version can read records of all earlier and later ones, as `schemas/` promises. */
export const COMPATIBILITY = 'FULL_TRANSITIVE';

export interface Registration extends RegisteredSchema {
  readonly subject: string;
}

/**
 * Registers the schemas of a model's requests and replies; registering them again changes nothing.
 * @throws RegistryError
 */
export async function registerSchemas(
  registry: SchemaRegistry,
  topics: TopicNames,
  model: string,
): Promise<{ requests: Registration; replies: Registration }> {
  const register = async (subject: string, schema: typeof REPLY_SCHEMA): Promise<Registration> => {
    // Set the rule first, so that existing versions are checked; some registries reject a rule for a subject that
    // does not exist.
    const isGuarded = await guard(registry, subject);
    const registered = await registry.register(subject, schema);
    if (!isGuarded) await registry.setCompatibility(subject, COMPATIBILITY);
    return { ...registered, subject };
  };
  return {
    requests: await register(topics.requestsSubject(model), REQUEST_SCHEMA),
    replies: await register(topics.repliesSubject(model), REPLY_SCHEMA),
  };
}

async function guard(registry: SchemaRegistry, subject: string): Promise<boolean> {
  try {
    await registry.setCompatibility(subject, COMPATIBILITY);
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.kind === 'unknown') return false;
    throw error;
  }
}
