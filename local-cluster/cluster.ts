import { availableParallelism } from 'node:os';
import type { Config } from '../core/config/config.js';
import { engineThreadsFor } from '../core/engine-threads.js';
import { startLocalBroker, type LocalBroker } from './broker.js';
import { startLocalRegistry, type LocalRegistry } from './registry.js';
import { SupervisedNode, type NodeListeners } from './supervised-node.js';

export interface ClusterOptions {
  readonly nodes: number;
  readonly config: Partial<Config>;
  /** Undefined: the brokers of the configuration are used and none is started. */
  readonly broker: { readonly port?: number; readonly dataDir?: string } | undefined;
  /** Undefined: the registry of the configuration is used, if it has one, and none is started. */
  readonly registry?: { readonly port?: number } | undefined;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
  readonly onStep?: (step: string) => void;
  /** Called with a sentence when a node has ended by itself and is started again. */
  readonly onRestart?: (sentence: string) => void;
}

/** A broker, a schema registry if one is wanted, and some nodes on this machine, for trying and for tests. */
export interface LocalCluster {
  readonly brokers: readonly string[];
  /** Where the API of the schema registry begins that was started; undefined when none was. */
  readonly registry: string | undefined;
  /** Nodes that end by themselves are started again. */
  readonly nodes: readonly SupervisedNode[];
  /** Resolves with the reason when broker or registry end by themselves, or a node cannot be started again. */
  readonly failed: Promise<Error>;
  /** Nodes first, so that they can answer what is under way; then the rest. */
  stop(): Promise<void>;
}

/** @throws Error with the reason, with nothing left running */
export async function startCluster(options: ClusterOptions): Promise<LocalCluster> {
  const nodes: SupervisedNode[] = [];
  let broker: LocalBroker | undefined;
  let registry: LocalRegistry | undefined;
  let brokerEnded = false;
  const stop = async (): Promise<void> => {
    // Without its broker a node can neither answer nor commit what is under way, and would wait for that in vain.
    if (brokerEnded) nodes.forEach((node) => node.kill('SIGKILL'));
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all([broker?.stop(), registry?.stop()]);
  };
  try {
    if (options.broker) {
      options.onStep?.('starting Kafka');
      broker = await startLocalBroker({ ...options.broker, log: options.log, signal: options.signal });
      void broker.exited.then(() => (brokerEnded = true));
    }
    if (options.registry) {
      options.onStep?.('starting the schema registry');
      const { log, onStep, signal } = options;
      registry = await startLocalRegistry({ ...options.registry, log, signal, ...(onStep && { onStep }) });
    }
    const brokers = broker ? [broker.bootstrap] : (options.config.brokers ?? []);
    options.onStep?.(`starting ${options.nodes} inference node${options.nodes === 1 ? '' : 's'}`);
    const schemas = registry ? { schemaRegistryUrl: registry.url } : {};
    const config = { ...shareOfCores(options.nodes), ...options.config, ...schemas, brokers };
    nodes.push(...(await startNodes(options.nodes, config, options, options.signal)));
    const failed = firstFailure(nodes, { 'the broker': broker, 'the schema registry': registry });
    return { brokers, registry: registry?.url, nodes, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Nodes on one machine share its cores, instead of each taking all. */
function shareOfCores(nodes: number): Pick<Config, 'engineThreads' | 'intraOpThreads'> {
  const cores = Math.max(1, Math.floor(availableParallelism() / nodes));
  const engineThreads = engineThreadsFor(cores);
  return { engineThreads, intraOpThreads: Math.floor(cores / engineThreads) };
}

/** All at once; when one can't start, the others are ended. */
async function startNodes(
  count: number,
  config: Partial<Config>,
  listeners: NodeListeners,
  signal: AbortSignal | undefined,
): Promise<SupervisedNode[]> {
  const starts = Array.from({ length: count }, (_, index) => {
    return SupervisedNode.start({ ...config, ...ownNames(config, index + 1) }, listeners, signal);
  });
  const results = await Promise.allSettled(starts);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map((node) => node.stop()));
  throw failed.reason;
}

function firstFailure(
  nodes: readonly SupervisedNode[],
  others: Readonly<Record<string, LocalBroker | LocalRegistry | undefined>>,
): Promise<Error> {
  const ends = nodes.map(({ failed }) => failed);
  for (const [name, other] of Object.entries(others)) {
    const end = other?.exited.then(
      ({ code, signal, lastLog }) =>
        new Error(`${name} ended with ${signal ?? `exit code ${code}`}: ${lastLog}`),
    );
    if (end) ends.push(end);
  }
  return Promise.race(ends);
}

/** Names that are each node's own. */
function ownNames({ nodeId, kafkaInstanceId }: Partial<Config>, number: number): Partial<Config> {
  return {
    ...(nodeId === undefined ? {} : { nodeId: `${nodeId}-${number}` }),
    ...(kafkaInstanceId === undefined ? {} : { kafkaInstanceId: `${kafkaInstanceId}-${number}` }),
  };
}
