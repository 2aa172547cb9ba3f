import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { ensureTopics } from '../cluster/ensure-topics.js';
import { LiveNodes } from '../cluster/live-nodes.js';
import { clusterTopics } from '../cluster/topic-specs.js';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import type { KafkaClient } from '../kafka/port.js';
import { RequestChannel } from '../producers/request-channel.js';
import { PartituraError } from '../schemas/errors.js';
import { createHttpServer } from './http/server.js';
import { Inferences } from './inference/inferences.js';
import { GatewayMetrics } from './metrics.js';
import { expectedWaitMs } from './models/expected-wait.js';
import { ServedModels } from './models/served-models.js';

/** A running gateway. */
export interface Gateway {
  /** Base URL of the REST APIs. */
  readonly url: string;
  /** Stops accepting requests, waits for those in flight, then disconnects. */
  close(): Promise<void>;
}

/**
 * Starts a gateway: connects to the cluster, then serves HTTP. It keeps no state, so any number can run side by side.
 * @throws KafkaError if the cluster cannot be reached, PartituraError INVALID_REQUEST if a port is in use
 */
export async function startGateway(config: Config, kafka: KafkaClient, log: Logger): Promise<Gateway> {
  const live = new LiveNodes(kafka, config, log);
  const limits = { retryLimitMs: config.gatewayTimeoutMs, maxInflight: config.gatewayMaxInflight };
  const channel = new RequestChannel(config, kafka, limits, log);
  const models = new ServedModels(live);
  const inferences = new Inferences(channel, models);
  const metrics = new GatewayMetrics(() => channel.inflight);
  const pages = { config, kafka, live, log, registry: metrics.registry, expectedWaitMs };
  const app = createHttpServer({ config, inferences, models, metrics, log, pages });
  const close = async (): Promise<void> => {
    await app.close();
    models.close();
    await Promise.all([channel.close(), live.close()]);
  };
  try {
    await prepareTopics(kafka, config);
    await Promise.all([channel.open(), live.start()]);
    const url = await listen(app, config);
    log.info({ url }, 'gateway is serving');
    return { url, close };
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
