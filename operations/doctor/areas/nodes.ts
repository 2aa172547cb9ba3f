import { checkNodes } from '../checks/nodes.js';
import type { Area } from './area.js';

/** Nodes, and what they report about their models and bindings. */
export const nodes: Area = {
  name: 'nodes',
  needsCluster: true,
  async examine(facts) {
    const collected = await facts.nodes();
    return collected ? checkNodes(collected.nodes) : [];
  },
};
