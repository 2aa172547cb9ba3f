import { rateOf } from './model-load.js';
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
  const serving = nodes.filter((node) => node.alive && rateOf(node, queue.model) > 0);
  const readers = readersOf(queue.topic, serving);
  for (const node of serving) {
    const throughput = rateOf(node, queue.model);
    const computed = (throughput * Math.max(0, now - node.beatAt)) / 1_000;
    rows += Math.max(0, rowsAt(queue, node, readers) - computed);
    rowsPerSecond += throughput;
  }
  return rowsPerSecond === 0 ? 0 : (rows / rowsPerSecond) * 1_000;
}

/** Counts the nodes that read each partition: several, if requests are delivered as a queue, and each reports all of its lag. */
function readersOf(topic: string, nodes: readonly KnownNode[]): ReadonlyMap<number, number> {
  const readers = new Map<number, number>();
  for (const { partitions } of nodes)
    for (const one of partitions)
      if (one.topic === topic) readers.set(one.partition, (readers.get(one.partition) ?? 0) + 1);
  return readers;
}

function rowsAt(
  { model, topic }: ModelQueue,
  { models, partitions }: KnownNode,
  readers: ReadonlyMap<number, number>,
): number {
  let rows = 0;
  for (const one of models) if (one.model === model) rows += one.load?.pendingRows ?? 0;
  for (const { topic: read, partition, lagRecords } of partitions)
    if (read === topic) rows += lagRecords / (readers.get(partition) ?? 1);
  return rows;
}
