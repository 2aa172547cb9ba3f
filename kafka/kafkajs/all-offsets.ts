import Cluster from 'kafkajs/src/cluster/index.js';

const READ_UNCOMMITTED = 0;

/**
 * The admin client of kafkajs requests offsets as if it read only committed records: the end of a partition then lies
 * before a transaction whose marker is not written yet, and a reader up to that end misses acknowledged records.
 * Consumers set the isolation level of their own clusters. kafkajs is pinned to the version whose method this wraps.
 */
const fetchTopicsOffset = Object.getOwnPropertyDescriptor(Cluster.prototype, 'fetchTopicsOffset')
  ?.value as Cluster['fetchTopicsOffset'];

Cluster.prototype.fetchTopicsOffset = function (this: Cluster, topics: unknown): Promise<unknown> {
  this.isolationLevel ??= READ_UNCOMMITTED;
  return fetchTopicsOffset.call(this, topics);
};
