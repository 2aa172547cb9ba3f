import type { InferenceReply } from '../../schemas/generated.js';

/**
 * Writes the `Server-Timing` header of an answer: time in the node's queue and in the engine, number of requests in the
 * batch, and the node. Browsers show it beside the request. https://www.w3.org/TR/server-timing/
 */
export function serverTiming({ timing, node }: Pick<InferenceReply, 'timing' | 'node'>): string {
  const entries = timing
    ? [
        `queue;dur=${timing.queueMicros / 1_000}`,
        `compute;dur=${timing.computeMicros / 1_000}`,
        `batch;desc="${timing.batchSize}"`,
      ]
    : [];
  // Node names are free text; a header and its quotes are not.
  if (node) entries.push(`node;desc="${node.replace(/[^\x20-\x7e]|["\\,;=]/g, '_')}"`);
  return entries.join(', ');
}
