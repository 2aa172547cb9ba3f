import { checkClocks } from '../checks/nodes.js';
import type { Area } from './area.js';

/** Clocks of the nodes and of this host, compared with the broker's. */
export const clocks: Area = {
  name: 'clocks',
  needsCluster: true,
  async examine(facts) {
    const collected = await facts.nodes();
    return collected ? checkClocks(collected.beats) : [];
  },
};
