import type { KnownNode } from '../../../cluster/node-directory.js';
import type { NodeView } from '../../api/views.js';

export function nodeViews(nodes: readonly KnownNode[]): NodeView[] {
  return nodes.map((node) => ({
    node: node.node,
    host: node.host,
    state: node.state,
    alive: node.alive,
    startedAt: node.startedAt,
    beatAt: node.beatAt,
    inflightRequests: node.inflightRequests,
    inflightBytes: node.inflightBytes,
    capacityRequests: node.capacityRequests,
    serviceMicros: node.serviceMicros,
    models: node.models.map(({ model, version, state, message }) => ({
      model,
      version,
      state,
      message: message ?? '',
    })),
    partitions: node.partitions,
    skippedFolders: node.skippedFolders,
  }));
}
