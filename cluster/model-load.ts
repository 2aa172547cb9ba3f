import type { KnownNode } from './node-directory.js';

/** Returns rows per second of the version that answers most requests: the fastest that the node serves; 0 if not known. */
export function rateOf({ models }: KnownNode, model: string): number {
  return Math.max(0, ...availableOf(models, model).map(({ load }) => load?.rowsPerSecond ?? 0));
}

/** Returns the rows that the node's available versions of a model hold: waiting, or being computed. */
export function pendingRowsOf({ models }: KnownNode, model: string): number {
  return availableOf(models, model).reduce((sum, { load }) => sum + (load?.pendingRows ?? 0), 0);
}

/**
 * Returns the records of a topic that the node has not read, in all partitions that it reads. A partition of a queue is read,
 * and so reported, by all nodes of the queue.
 */
export function lagOf({ partitions }: KnownNode, topic: string): number {
  return partitions.reduce((sum, one) => sum + (one.topic === topic ? one.lagRecords : 0), 0);
}

function availableOf(models: KnownNode['models'], model: string): KnownNode['models'] {
  return models.filter((one) => one.model === model && one.state === 'AVAILABLE');
}
