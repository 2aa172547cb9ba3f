import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient } from '../../kafka/port.js';
import { assembleNode, type NodeOptions } from './assemble-node.js';
import type { InferenceNode } from './node.js';

/**
 * Starts a node. If that fails or is aborted, everything that was started is closed again.
 * @throws PartituraError or KafkaError with the reason
 */
export async function startNode(
  config: Config,
  kafka: KafkaClient,
  log: Logger,
  options: NodeOptions = {},
): Promise<InferenceNode> {
  options.signal?.throwIfAborted();
  const node = await assembleNode(config, kafka, log, options);
  const stop = (): void => void node.close().catch(() => undefined);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    options.signal?.throwIfAborted();
    await node.start();
    return node;
  } catch (error) {
    await node.close().catch(() => undefined);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}
