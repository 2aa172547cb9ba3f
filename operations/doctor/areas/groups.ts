import { checkGroup } from '../checks/groups.js';
import type { Area } from './area.js';

/** Consumer groups of models and bindings: members and lag. */
export const groups: Area = {
  name: 'groups',
  needsCluster: true,
  async examine(facts) {
    return (await facts.groups()).flatMap(checkGroup);
  },
};
