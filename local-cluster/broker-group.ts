import { startLocalBroker, newClusterId, type LocalBroker } from './broker.js';
import { freePort, loopback } from './ports.js';

export interface BrokerGroupOptions {
  /** Data folders, one per broker; undefined for a temporary one. */
  readonly dataDirs?: readonly (string | undefined)[];
  /** Kafka settings of all brokers, overriding the defaults. */
  readonly settings?: Record<string, string>;
}

/** Several brokers of one Kafka cluster on this machine: each topic has a replica on every broker. */
export interface BrokerGroup {
  /** Addresses of all brokers. */
  readonly bootstrap: string;
  /** The broker at index i has the id i + 1. */
  readonly brokers: readonly LocalBroker[];
  stop(): Promise<void>;
}

const BROKERS = 3;
const HEAP_MB = 320;

/**
 * Starts three brokers that are also controllers: any single one may be down.
 * @throws Error with the reason; nothing is left running
 */
export async function startBrokerGroup({
  dataDirs = [],
  settings,
}: BrokerGroupOptions = {}): Promise<BrokerGroup> {
  const places = await Promise.all(
    Array.from({ length: BROKERS }, async (_, index) => ({
      id: index + 1,
      port: await freePort(),
      controllerPort: await freePort(),
      dataDir: dataDirs[index],
    })),
  );
  const voters = places.map(({ id, controllerPort }) => `${id}@${loopback}:${controllerPort}`).join(',');
  const clusterId = newClusterId();
  const starts = await Promise.allSettled(
    places.map(({ id, port, controllerPort, dataDir }) =>
      startLocalBroker({
        port,
        ...(dataDir !== undefined && { dataDir }),
        clusterId,
        heapMb: HEAP_MB,
        settings: { ...memberSettings(id, port, controllerPort, voters), ...settings },
      }),
    ),
  );
  const brokers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(brokers.map((broker) => broker.stop())));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { bootstrap: brokers.map((broker) => broker.bootstrap).join(','), brokers, stop };
}

function memberSettings(
  id: number,
  port: number,
  controllerPort: number,
  voters: string,
): Record<string, string> {
  const replicas = String(BROKERS);
  const inSync = String(BROKERS - 1);
  return {
    'node.id': String(id),
    'controller.quorum.voters': voters,
    listeners: `PLAINTEXT://${loopback}:${port},CONTROLLER://${loopback}:${controllerPort}`,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // Followers notice new records promptly: acknowledged writes wait for them.
    'replica.lag.time.max.ms': '5000',
  };
}
