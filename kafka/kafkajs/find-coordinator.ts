import Cluster, { type CoordinatorQuery, type FoundCoordinator } from 'kafkajs/src/cluster/index.js';

/**
 * kafkajs asks each broker for a group's coordinator, throws away why none could tell, and says only that it was not
 * found: an outage could not be told from a right that is missing. Here the last reason is what is thrown. kafkajs is
 * pinned to the version whose method this replaces.
 */
Cluster.prototype.findGroupCoordinatorMetadata = async function (
  this: Cluster,
  query: CoordinatorQuery,
): Promise<FoundCoordinator> {
  let reason: unknown;
  const found = await this.brokerPool.withBroker(async ({ broker }) => {
    try {
      return await broker.findGroupCoordinator(query);
    } catch (error) {
      reason = error;
      throw error;
    }
  });
  if (found) return found;
  throw reason instanceof Error ? reason : new Error(`no broker tells the coordinator of ${query.groupId}`);
};
