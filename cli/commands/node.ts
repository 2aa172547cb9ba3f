import type { Config } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { Outage } from '../../kafka/errors/outages.js';
import { createLogger, type Logger } from '../../core/log.js';
import { startTracing, type Tracing } from '../../core/tracing.js';
import { newNodeId } from '../../consumers/node/foundation.js';
import type { InferenceNode } from '../../consumers/node/node.js';
import { startNode } from '../../consumers/node/start-node.js';
import { TracedRecords } from '../../consumers/records/record-spans.js';
import { print, printJson } from '../output.js';
import { exitSoon, exitWithin, releaseParent, stopSignal, stopped, unlessStopped } from '../signals.js';

/** Added to the drain timeout. The node limits its own shutdown; this covers work that its timers cannot interrupt. */
const STOP_SLACK_MS = 15_000;
/** Interval at which the parent is notified that the node waits for brokers. */
const WAITING_MS = 2_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs one inference node until a stop signal. @throws Error if the node fails */
export async function runNode(
  config: Config,
  { json }: { json: boolean },
  environment: Environment,
): Promise<void> {
  const signal = stopSignal();
  const log = createLogger('partitura-node', config.logLevel);
  const nodeId = config.nodeId ?? newNodeId();
  void stopped(signal).then((by) => {
    log.info({ node: nodeId, by }, 'node is stopping');
    exitWithin(config.drainTimeoutMs + STOP_SLACK_MS, () =>
      log.fatal({ node: nodeId }, 'node did not stop in time; exiting with work in flight'),
    );
  });
  const tracing = await startTracing(environment, 'partitura-node', nodeId, log);
  try {
    const node = await unlessStopped(start({ ...config, nodeId }, log, tracing, signal), signal);
    if (node) await serve(node, json, stopped(signal));
  } finally {
    await tracing?.stop();
    releaseParent();
    exitSoon();
  }
}

function start(
  config: Config,
  log: Logger,
  tracing: Tracing | undefined,
  signal: AbortSignal,
): Promise<InferenceNode> {
  const kafka = createKafkaClient(config, `partitura-${config.nodeId}`, log);
  const spans = tracing && { spans: new TracedRecords(tracing.tracer) };
  const timer = setInterval(() => reportWaiting(kafka.outages.current), WAITING_MS);
  return startNode(config, kafka, log, { ...spans, signal }).finally(() => clearInterval(timer));
}

/** Notifies the parent, so that its start timeout does not terminate a node that only waits for brokers. */
function reportWaiting(outage: Outage | undefined): void {
  if (outage && process.connected) process.send?.({ waitingFor: outage.reason });
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
