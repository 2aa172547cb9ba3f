import type { Config } from '../../core/config.js';
import { createKafkaClient } from '../../core/kafka/client.js';
import { createLogger, type Logger } from '../../core/log.js';
import { startTracing, type Tracing } from '../../core/tracing.js';
import { newNodeId, startNode, type InferenceNode } from '../../consumers/node.js';
import { TracedRecords } from '../../consumers/record-spans.js';
import { print, printJson } from '../output.js';
import { releaseParent, stopSignal } from '../signals.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs one inference node until it is told to stop. @throws Error when the node can't go on */
export async function runNode(
  config: Config,
  { json }: { json: boolean },
  environment: Environment,
): Promise<void> {
  const stopped = stopSignal();
  const log = createLogger('partitura-node', config.logLevel);
  const nodeId = config.nodeId ?? newNodeId();
  const tracing = await startTracing(environment, 'partitura-node', nodeId, log);
  try {
    await serve(await start({ ...config, nodeId }, log, tracing), json, stopped);
  } finally {
    await tracing?.stop();
    releaseParent();
  }
}

function start(config: Config, log: Logger, tracing: Tracing | undefined): Promise<InferenceNode> {
  const kafka = createKafkaClient(config, `partitura-${config.nodeId}`, log);
  return startNode(config, kafka, log, tracing && { spans: new TracedRecords(tracing.tracer) });
}

async function serve(node: InferenceNode, json: boolean, stopped: Promise<string>): Promise<void> {
  const ready = { node: node.id, health: node.healthUrl ?? '', models: node.models };
  process.send?.(ready);
  if (json) printJson({ event: 'ready', ...ready });
  else print(`ready ${ready.node}, models ${ready.models.join(', ')}, health at ${ready.health}`);
  const failure = await Promise.race([node.failed, stopped]);
  await node.close();
  if (failure instanceof Error) throw failure;
}
