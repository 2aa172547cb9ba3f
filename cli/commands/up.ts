import type { Config } from '../../core/config/config.js';
import { startCluster, type LocalCluster } from '../../local-cluster/cluster.js';
import { invalidRequest } from '../../schemas/errors.js';
import { print, printJson, printError } from '../output.js';
import { stopSignal, stopped, unlessStopped } from '../signals.js';

export interface UpFlags {
  readonly nodes: number;
  readonly brokerPort: number;
  readonly data?: string;
  /** True to run a schema registry. */
  readonly registry?: boolean;
  /** 0 or undefined for a free port. */
  readonly registryPort?: number;
  readonly json: boolean;
  /** False to run no gateway. */
  readonly gateway?: boolean;
  /** False to run no coordinator. */
  readonly coordinator?: boolean;
}

/**
 * Starts the cluster of `up` and `demo`, with an embedded broker unless brokers are named. An embedded broker has no
 * topics of others, so bindings may use all of them.
 */
export function startFromFlags(
  config: Config,
  {
    nodes,
    brokerPort,
    data,
    registry: ownRegistry,
    registryPort,
    gateway = true,
    coordinator = true,
  }: UpFlags,
  ownBroker: boolean,
  signal: AbortSignal,
): Promise<LocalCluster> {
  const broker = ownBroker
    ? { port: brokerPort, ...(data === undefined ? {} : { dataDir: data }) }
    : undefined;
  const registry = ownRegistry ? { port: registryPort ?? 0 } : undefined;
  const log = config.logLevel === 'error' ? printLogOnly : printError;
  const bindingTopics = ownBroker && config.bindingTopics.length === 0 ? ['*'] : config.bindingTopics;
  return startCluster({
    nodes,
    config: { ...config, bindingTopics },
    broker,
    registry,
    gateway,
    coordinator,
    log,
    signal,
    onStep: (step) => printError(`${step} …`),
    onRestart: printError,
  });
}

/** Filters the standard error of nodes: native libraries write to it, too; at the quiet level only our own log passes. */
function printLogOnly(line: string): void {
  if (line.startsWith('{')) printError(line);
}

/** Runs a cluster in the foreground until a stop signal. @throws Error if a part of it exits unexpectedly */
export async function runUp(config: Config, flags: UpFlags, ownBroker: boolean): Promise<void> {
  if (flags.registry && config.schemaRegistryUrl !== undefined)
    throw invalidRequest('expected --registry or SCHEMA_REGISTRY_URL, got both');
  const signal = stopSignal();
  const cluster = await unlessStopped(startFromFlags(config, flags, ownBroker, signal), signal);
  if (!cluster) return;
  announce(cluster, flags.json);
  const end = await Promise.race([cluster.failed, stopped(signal)]);
  await endCluster(cluster);
  if (end instanceof Error) throw end;
}

function announce({ brokers, registry, gateway, nodes }: LocalCluster, json: boolean): void {
  const models = [...new Set(nodes.flatMap(({ process }) => process.ready.models))];
  if (json)
    return printJson({
      event: 'ready',
      brokers,
      registry,
      ...gateway?.process.ready,
      nodes: nodes.map(({ process: { ready, pid } }) => ({ ...ready, pid })),
      models,
    });
  const schemas = registry === undefined ? '' : ` registry=${registry}`;
  const front = gateway ? ` gateway=${gateway.process.ready.gateway} grpc=${gateway.process.ready.grpc}` : '';
  print(
    `ready brokers=${brokers.join(',')}${schemas}${front} nodes=${nodes.length} models=${models.join(',')}`,
  );
}

/** Stops the cluster; nodes finish work in flight first, so the message acknowledges the signal. */
export async function endCluster(cluster: LocalCluster): Promise<void> {
  printError('stopping …');
  await cluster.stop();
}
