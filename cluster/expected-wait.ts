import type { KnownNode } from './node-directory.js';

/** The queue of a model. */
export interface ModelQueue {
  readonly model: string;
  /** Its request topic. */
  readonly topic: string;
}

/**
 * Returns the expected time that a new request of a model waits, in milliseconds: the rows that its nodes hold and the
 * records of their partitions that they have not read, divided by what the nodes compute per second with batching. A low
 * estimate, since it decides refusals: an unread record counts as one row, and a queue is taken to be worked off since its
 * node reported it. Nodes that are silent, or that know no throughput yet, are left out; 0 if no node is left.
 * @param now milliseconds since the epoch
 */
export function expectedWaitMs(queue: ModelQueue, nodes: readonly KnownNode[], now: number): number {
  let rows = 0;
  let rowsPerSecond = 0;
  for (const node of nodes) {
    const throughput = node.alive ? throughputOf(queue.model, node) : 0;
    if (throughput === 0) continue;
    const computed = (throughput * Math.max(0, now - node.beatAt)) / 1_000;
    rows += Math.max(0, rowsAt(queue, node) - computed);
    rowsPerSecond += throughput;
  }
  return rowsPerSecond === 0 ? 0 : (rows / rowsPerSecond) * 1_000;
}

/** Rows per second of the version that answers most requests: the fastest that the node serves. */
function throughputOf(model: string, { models }: KnownNode): number {
  const rates = models
    .filter((one) => one.model === model && one.state === 'AVAILABLE')
    .map(({ load }) => load?.rowsPerSecond ?? 0);
  return Math.max(0, ...rates);
}

function rowsAt({ model, topic }: ModelQueue, { models, partitions }: KnownNode): number {
  let rows = 0;
  for (const one of models) if (one.model === model) rows += one.load?.pendingRows ?? 0;
  for (const partition of partitions) if (partition.topic === topic) rows += partition.lagRecords;
  return rows;
}
