import type { KnownNode } from '../../cluster/node-directory.js';

/**
 * Returns the expected time that a new request of a model waits, in milliseconds: the shortest queue of the nodes that
 * serve it, each as long as its requests in flight times its moving average of engine time per row. A low estimate,
 * since it decides refusals; 0 if no node reports a queue.
 */
export function expectedWaitMs(model: string, nodes: readonly KnownNode[]): number {
  const waits = nodes
    .filter(({ models }) => models.some((one) => one.model === model && one.state === 'AVAILABLE'))
    .map(({ inflightRequests, serviceMicros }) => (inflightRequests * serviceMicros) / 1_000);
  return waits.length === 0 ? 0 : Math.min(...waits);
}
