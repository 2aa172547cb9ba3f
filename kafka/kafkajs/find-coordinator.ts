import Cluster, { type CoordinatorQuery, type FoundCoordinator } from 'kafkajs/src/cluster/index.js';

/**
 * kafkajs asks each broker for a group's coordinator, discards their errors and reports only that it was not found,
 * which hides the difference between an outage and a missing permission. This replacement throws the last error.
 * kafkajs is pinned to the version whose method this replaces.
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
  throw reason instanceof Error
    ? reason
    : new Error(`no broker returned the coordinator of group ${query.groupId}`);
};
