import { checkRegistry } from '../checks/registry.js';
import { collectRegistry } from '../collect/registry.js';
import type { Area } from './area.js';

/** The schema registry, if one is configured. */
export const registry: Area = {
  name: 'registry',
  needsCluster: false,
  async examine(facts) {
    const { config } = facts.context;
    return checkRegistry(await collectRegistry(config, await facts.models()), config.prefix);
  },
};
