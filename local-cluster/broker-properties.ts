import { loopback } from './ports.js';

export interface BrokerAddresses {
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number;
  readonly controllerPort: number;
  /** The address the broker binds to: loopback, or every address of a container of its own. */
  readonly bindHost: string;
}

const mebibyte = 1024 * 1024;

/** One KRaft node that is broker and controller at once. Replication factors are 1 because there is no second node. */
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
    // A misspelt topic is an error to be told, not a topic.
    'auto.create.topics.enable': 'false',
    'message.max.bytes': String(16 * mebibyte),
    'replica.fetch.max.bytes': String(16 * mebibyte),
    // A first member waits for no others: a cluster that starts is up at once.
    'group.initial.rebalance.delay.ms': '0',
    // A killed broker that comes back is refused until its former session has expired: 3 s instead of 9.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // Fewer than Kafka's 50 each: one node loads these when it starts, and clients wait for it.
    'offsets.topic.num.partitions': '8',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  };
}

/** Text of a Java properties file. */
export function toProperties(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}
