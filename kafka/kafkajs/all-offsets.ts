import Cluster from 'kafkajs/src/cluster/index.js';

const READ_UNCOMMITTED = 0;

/**
 * kafkajs's admin asks for offsets as if it read committed records only, and takes the end of a partition to lie before a
 * transaction whose marker is on its way: who then reads to that end misses records that their sender was told are there. The
 * clusters of consumers say themselves how they read. kafkajs is pinned to the version whose method this wraps.
 */
const fetchTopicsOffset = Object.getOwnPropertyDescriptor(Cluster.prototype, 'fetchTopicsOffset')
  ?.value as Cluster['fetchTopicsOffset'];

Cluster.prototype.fetchTopicsOffset = function (this: Cluster, topics: unknown): Promise<unknown> {
  this.isolationLevel ??= READ_UNCOMMITTED;
  return fetchTopicsOffset.call(this, topics);
};
