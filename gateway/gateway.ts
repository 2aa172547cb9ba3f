import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { ensureTopics } from '../cluster/ensure-topics.js';
import { LiveDirectives } from '../cluster/control/live-directives.js';
import { LiveNodes } from '../cluster/live-nodes.js';
import { clusterTopics } from '../cluster/topic-specs.js';
import { topicNames } from '../cluster/topics.js';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import type { KafkaClient } from '../kafka/port.js';
import { ClusterControl } from '../operations/control/cluster-control.js';
import { RequestChannel } from '../producers/request-channel.js';
import { PartituraError } from '../schemas/errors.js';
import { GrpcServer } from './grpc/server.js';
import { createHttpServer } from './http/server.js';
import { Inferences } from './inference/inferences.js';
import { GatewayMetrics } from './metrics.js';
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
  const live = new LiveNodes(kafka, config, log);
  const limits = { retryLimitMs: config.gatewayTimeoutMs, maxInflight: config.gatewayMaxInflight };
  const channel = new RequestChannel(config, kafka, limits, log);
  const directives = new LiveDirectives(kafka, config, log);
  const producer = kafka.producer();
  const topic = topicNames(config.prefix).control;
  const control = new ClusterControl({ producer, directives, nodes: live, topic });
  const models = new ServedModels(live, directives);
  const inferences = new Inferences(channel, models);
  const metrics = new GatewayMetrics(() => channel.inflight);
  const parts = { config, inferences, models, directives, control, metrics, log };
  const app = createHttpServer(parts);
  const grpc = new GrpcServer(parts);
  const close = async (): Promise<void> => {
    await Promise.all([app.close(), grpc.close(config.gatewayTimeoutMs)]);
    models.close();
    await Promise.all([channel.close(), live.close(), directives.close(), producer.close()]);
  };
  try {
    await prepareTopics(kafka, config);
    await Promise.all([channel.open(), live.start(), directives.start(), producer.connect()]);
    const url = await listen(app, config);
    const grpcAddress = await grpc.listen();
    log.info({ url, grpcAddress }, 'gateway is serving');
    return { url, grpcAddress, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepareTopics(kafka: KafkaClient, config: Config): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [refused] = await ensureTopics(admin, clusterTopics(config));
    if (refused) throw refused.error;
  } finally {
    await admin.close();
  }
}

async function listen(app: FastifyInstance, { gatewayHost, gatewayPort }: Config): Promise<string> {
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
  return `http://${host}:${port}`;
}
