import type { Config } from '../../core/config.js';
import { createKafkaClient } from '../../core/kafka/client.js';
import { createLogger } from '../../core/log.js';
import { startNode } from '../../consumers/node.js';
import { print, printJson } from '../output.js';
import { releaseParent, stopSignal } from '../signals.js';

/** Runs one inference node until it is told to stop. @throws Error when the node can't go on */
export async function runNode(config: Config, { json }: { json: boolean }): Promise<void> {
  const stopped = stopSignal();
  try {
    await serve(config, json, stopped);
  } finally {
    releaseParent();
  }
}

async function serve(config: Config, json: boolean, stopped: Promise<string>): Promise<void> {
  const log = createLogger('partitura-node', config.logLevel);
  const node = await startNode(
    config,
    createKafkaClient(config, `partitura-${config.nodeId ?? 'node'}`, log),
    log,
  );
  const ready = { node: node.id, health: node.healthUrl ?? '', models: node.models };
  process.send?.(ready);
  if (json) printJson({ event: 'ready', ...ready });
  else print(`ready ${ready.node}, models ${ready.models.join(', ')}, health at ${ready.health}`);
  const failure = await Promise.race([node.failed, stopped]);
  await node.close();
  if (failure instanceof Error) throw failure;
}
