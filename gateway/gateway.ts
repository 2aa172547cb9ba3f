import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import type { KafkaClient } from '../kafka/port.js';
import type { ConsoleServices } from '../console/server/services.js';
import { PartituraError } from '../schemas/errors.js';
import { Authenticator } from './auth/authenticator.js';
import { ClusterLink } from './cluster-link.js';
import { GrpcServer } from './grpc/server.js';
import { createHttpServer } from './http/server.js';
import { Inferences } from './inference/inferences.js';
import { GatewayMetrics } from './metrics.js';
import { ExpectedWaits } from './models/expected-waits.js';
import { ServedModels } from './models/served-models.js';

/** A running gateway. */
export interface Gateway {
  /** Base URL of the REST APIs. */
  readonly url: string;
  /** Address of the gRPC services, `host:port`. */
  readonly grpcAddress: string;
  /** Stops accepting requests, waits for those in flight, then disconnects. */
  close(): Promise<void>;
}

/**
 * Starts a gateway: connects to the cluster, then serves HTTP and gRPC. It keeps no state, so any number can run side by side.
 * @throws KafkaError if the cluster cannot be reached, PartituraError INVALID_REQUEST if a port is in use
 */
export async function startGateway(config: Config, kafka: KafkaClient, log: Logger): Promise<Gateway> {
  const authenticator = new Authenticator(config, log);
  const link = new ClusterLink(config, kafka, log);
  const { directives, control, deferred, jobs, channel } = link;
  const models = new ServedModels(link.nodes, directives);
  const waits = new ExpectedWaits((model) => link.expectedWaitMs(model, link.nodes.nodes()));
  const inferences = new Inferences(channel, models, (model) => waits.of(model));
  const metrics = new GatewayMetrics(() => channel.inflight);
  const services = { config, inferences, models, directives, control, authenticator, deferred, jobs };
  const pages = { ...pageServices(link, log), registry: metrics.registry };
  const { app, connections } = createHttpServer({ ...services, metrics, log, pages });
  const grpc = new GrpcServer({ ...services, metrics, log });
  const close = async (): Promise<void> => {
    await Promise.all([connections.drain(config.gatewayTimeoutMs), grpc.close(config.gatewayTimeoutMs)]);
    models.close();
    await link.close();
  };
  try {
    await link.open();
    const url = await listen(app, config);
    const grpcAddress = await grpc.listen();
    log.info({ url, grpcAddress }, 'gateway is serving');
    return { url, grpcAddress, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns the parts of a gateway that its pages use. */
export function pageServices(link: ClusterLink, log: Logger): Omit<ConsoleServices, 'registry'> {
  const { config, kafka, nodes, directives, jobs } = link;
  return {
    config,
    kafka,
    nodes,
    directives,
    jobs: () => jobs.current(),
    log,
    expectedWaitMs: (model, known) => link.expectedWaitMs(model, known),
    requireControl: ({ identity }) => identity.requireControl(),
    mayUse: ({ identity }) => (identity.seesAll ? undefined : (model) => identity.mayUse(model)),
  };
}

async function listen(
  app: FastifyInstance,
  { gatewayHost, gatewayPort, gatewayTlsCert }: Config,
): Promise<string> {
  try {
    await app.listen({ host: gatewayHost, port: gatewayPort });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new PartituraError(
      'INVALID_REQUEST',
      `port ${gatewayPort} on ${gatewayHost} is in use by another program; choose another with --gateway-port`,
      { cause },
    );
  }
  const { port } = app.server.address() as AddressInfo;
  const host = gatewayHost.includes(':') ? `[${gatewayHost}]` : gatewayHost;
  return `${gatewayTlsCert === undefined ? 'http' : 'https'}://${host}:${port}`;
}
