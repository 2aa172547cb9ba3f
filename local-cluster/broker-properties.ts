import { loopback } from './ports.js';

export interface BrokerAddresses {
  /** Port for clients on 127.0.0.1. */
  readonly port: number;
  readonly controllerPort: number;
  /** Address that the broker binds to: loopback, or all addresses inside its own container. */
  readonly bindHost: string;
}

const mebibyte = 1024 * 1024;

/**
 * Returns the settings of a single KRaft node that is both broker and controller. Replication factors are 1 because
 * there is no second node.
 */
export function brokerSettings(addresses: BrokerAddresses, logDir: string): Record<string, string> {
  const { port, controllerPort, bindHost } = addresses;
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${loopback}:${controllerPort}`,
    listeners: `PLAINTEXT://${bindHost}:${port},CONTROLLER://${loopback}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${loopback}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDir,
    'num.partitions': '8',
    // A misspelled topic is reported as an error rather than created.
    'auto.create.topics.enable': 'false',
    'message.max.bytes': String(16 * mebibyte),
    'replica.fetch.max.bytes': String(16 * mebibyte),
    // The first member of a group does not wait for others, so that a new cluster is ready at once.
    'group.initial.rebalance.delay.ms': '0',
    // A killed broker that restarts is refused until its previous session has expired: 3 s instead of 9 s.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // Fewer than Kafka's 50 each: a single node loads them at startup, while clients wait.
    'offsets.topic.num.partitions': '8',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  };
}

/** Formats a Java properties file. */
export function toProperties(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}
