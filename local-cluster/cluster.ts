import { availableParallelism } from 'node:os';
import type { Config } from '../core/config/config.js';
import { engineThreadsFor } from '../core/engine-threads.js';
import { startLocalBroker, type LocalBroker } from './broker.js';
import { startLocalRegistry, type LocalRegistry } from './registry.js';
import {
  superviseCoordinator,
  superviseGateway,
  superviseNode,
  type ProcessListeners,
  type SupervisedCoordinator,
  type SupervisedGateway,
  type SupervisedNode,
} from './supervised-process.js';

export interface ClusterOptions {
  readonly nodes: number;
  readonly config: Partial<Config>;
  /** Undefined: use the brokers of the configuration and start none. */
  readonly broker: { readonly port?: number; readonly dataDir?: string } | undefined;
  /** Undefined: use the registry of the configuration, if any, and start none. */
  readonly registry?: { readonly port?: number } | undefined;
  /** True to run a gateway as well. */
  readonly gateway?: boolean;
  /** True to run a coordinator of split jobs as well, whose tasks the nodes then serve. */
  readonly coordinator?: boolean;
  /** Aborts the start. */
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
  readonly onStep?: (step: string) => void;
  /** Called with a message when a node or the gateway has ended unexpectedly and is being restarted. */
  readonly onRestart?: (sentence: string) => void;
}

/** A broker, optionally a schema registry, and some nodes on this machine, for trials and tests. */
export interface LocalCluster {
  readonly brokers: readonly string[];
  /** Base URL of the API of the schema registry that was started; undefined if none was. */
  readonly registry: string | undefined;
  /** Gateway, if one was asked for; restarted if it ends unexpectedly. */
  readonly gateway: SupervisedGateway | undefined;
  /** Coordinator, if one was asked for; restarted if it ends unexpectedly. */
  readonly coordinator: SupervisedCoordinator | undefined;
  /** Nodes that end unexpectedly are restarted. */
  readonly nodes: readonly SupervisedNode[];
  /** Resolves with the reason if broker or registry end unexpectedly, or another process cannot be restarted. */
  readonly failed: Promise<Error>;
  /** Stops the gateway, then the nodes, so that they can finish requests in flight; then the rest. */
  stop(): Promise<void>;
}

/** @throws Error with the reason; nothing is left running */
export async function startCluster(options: ClusterOptions): Promise<LocalCluster> {
  const nodes: SupervisedNode[] = [];
  let broker: LocalBroker | undefined;
  let registry: LocalRegistry | undefined;
  let gateway: SupervisedGateway | undefined;
  let coordinator: SupervisedCoordinator | undefined;
  let brokerEnded = false;
  const stop = async (): Promise<void> => {
    // Without its broker a node can neither answer nor commit requests in flight, and would wait in vain.
    if (brokerEnded) [...nodes, gateway, coordinator].forEach((process) => process?.kill('SIGKILL'));
    await Promise.all([gateway?.stop(), coordinator?.stop()]);
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all([broker?.stop(), registry?.stop()]);
  };
  try {
    if (options.broker) {
      options.onStep?.('starting Kafka');
      broker = await startLocalBroker({ ...options.broker, log: options.log, signal: options.signal });
      void broker.exited.then(() => (brokerEnded = true));
    }
    registry = await startRegistry(options);
    const brokers = broker ? [broker.bootstrap] : (options.config.brokers ?? []);
    options.onStep?.(startingSentence(options));
    const schemas = registry ? { schemaRegistryUrl: registry.url } : {};
    const config = { ...configOfProcesses(options), ...schemas, brokers };
    await allStarted([
      startNodes(options.nodes, config, options, options.signal).then((started) => nodes.push(...started)),
      startGateway(config, options).then((started) => (gateway = started)),
      startCoordinator(config, options).then((started) => (coordinator = started)),
    ]);
    const failed = firstFailure([...nodes, ...[gateway, coordinator].filter((one) => one !== undefined)], {
      'the broker': broker,
      'the schema registry': registry,
    });
    return { brokers, registry: registry?.url, gateway, coordinator, nodes, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startingSentence({ nodes, gateway, coordinator }: ClusterOptions): string {
  const others = [...(gateway ? ['the gateway'] : []), ...(coordinator ? ['the coordinator'] : [])];
  const all = [`${nodes} inference node${nodes === 1 ? '' : 's'}`, ...others];
  return `starting ${new Intl.ListFormat('en').format(all)}`;
}

/** Starts a schema registry if one was asked for. */
async function startRegistry(options: ClusterOptions): Promise<LocalRegistry | undefined> {
  if (!options.registry) return undefined;
  options.onStep?.('starting the schema registry');
  const { log, onStep, signal } = options;
  return startLocalRegistry({ ...options.registry, log, signal, ...(onStep && { onStep }) });
}

/** Starts a gateway if one was asked for. */
async function startGateway(
  config: Partial<Config>,
  options: ClusterOptions,
): Promise<SupervisedGateway | undefined> {
  if (!options.gateway) return undefined;
  return superviseGateway(config, options, options.signal);
}

/** Starts a coordinator if one was asked for. */
async function startCoordinator(
  config: Partial<Config>,
  options: ClusterOptions,
): Promise<SupervisedCoordinator | undefined> {
  if (!options.coordinator) return undefined;
  return superviseCoordinator(config, options, options.signal);
}

/** Waits for all starts, so that nothing is starting any more when the first failure is thrown. */
async function allStarted(starts: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Returns the configuration of all processes: what nobody has set is chosen for several nodes on one machine. */
function configOfProcesses({ config, nodes, coordinator = false }: ClusterOptions): Partial<Config> {
  const share = config.engineThreads || config.intraOpThreads ? {} : shareOfCores(nodes);
  return { ...config, ...share, ...(coordinator && { jobs: true }) };
}

/** Divides the cores of this machine among the nodes, instead of letting each use all of them. */
function shareOfCores(nodes: number): Pick<Config, 'engineThreads' | 'intraOpThreads'> {
  const cores = Math.max(1, Math.floor(availableParallelism() / nodes));
  const engineThreads = engineThreadsFor(cores);
  return { engineThreads, intraOpThreads: Math.floor(cores / engineThreads) };
}

/** Starts all nodes at once; if one cannot start, the others are stopped. */
async function startNodes(
  count: number,
  config: Partial<Config>,
  listeners: ProcessListeners,
  signal: AbortSignal | undefined,
): Promise<SupervisedNode[]> {
  const starts = Array.from({ length: count }, (_, index) => {
    return superviseNode({ ...config, ...ownNames(config, index + 1) }, listeners, signal);
  });
  const results = await Promise.allSettled(starts);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map((node) => node.stop()));
  throw failed.reason;
}

function firstFailure(
  processes: readonly { readonly failed: Promise<Error> }[],
  others: Readonly<Record<string, LocalBroker | LocalRegistry | undefined>>,
): Promise<Error> {
  const ends = processes.map(({ failed }) => failed);
  for (const [name, other] of Object.entries(others)) {
    const end = other?.exited.then(
      ({ code, signal, lastLog }) =>
        new Error(`${name} ended with ${signal ?? `exit code ${code}`}: ${lastLog}`),
    );
    if (end) ends.push(end);
  }
  return Promise.race(ends);
}

/** Derives names that must be unique per node. */
function ownNames({ nodeId, kafkaInstanceId }: Partial<Config>, number: number): Partial<Config> {
  return {
    ...(nodeId === undefined ? {} : { nodeId: `${nodeId}-${number}` }),
    ...(kafkaInstanceId === undefined ? {} : { kafkaInstanceId: `${kafkaInstanceId}-${number}` }),
  };
}
