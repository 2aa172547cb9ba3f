import type { SASLOptions } from '../platformatic/index.js';
import type { Logger } from '../../core/log.js';
import { ABILITIES } from '../abilities.js';
import { tlsFiles, type KafkaConnection } from '../connection.js';
import { Outages } from '../errors/outages.js';
import type { KafkaInspector } from '../inspector.js';
import type {
  ConsumerOptions,
  KafkaAdmin,
  KafkaClient,
  KafkaConsumer,
  KafkaProducer,
  TransactionalProducer,
} from '../port.js';
import type { ShareConsumer, ShareConsumerOptions } from '../share-port.js';
import { NativeAdmin } from './admin.js';
import { Cluster } from './transport/cluster.js';
import type { ConnectionSettings } from './transport/connections.js';
import { NativeConsumer } from './consumer.js';
import { NativeInspector } from './inspector.js';
import { NativeProducer } from './producer.js';
import { NativeShareConsumer } from './share/share-consumer.js';
import { NativeTransactionalProducer } from './transactional-producer.js';

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Creates a client based on the connections and messages of `@platformatic/kafka`. Its producer, consumer and admin
 * are not used; docs/DESIGN.md gives the reasons.
 * @param clientId appears in the broker's logs and quotas
 */
export function createNativeClient(connection: KafkaConnection, clientId: string, log: Logger): KafkaClient {
  const settings = connectionSettings(connection, clientId);
  const outages = new Outages(log, connection.brokers);
  const cluster = (): Cluster => new Cluster(settings, connection.brokers, { outage: outages.link() });
  return {
    abilities: ABILITIES.native,
    outages,
    producer: (): KafkaProducer => new NativeProducer(cluster()),
    consumer: (options: ConsumerOptions): KafkaConsumer => new NativeConsumer(cluster(), options, log),
    shareConsumer: (options: ShareConsumerOptions): ShareConsumer =>
      new NativeShareConsumer(cluster(), options, log),
    transactionalProducer: (id: string): TransactionalProducer =>
      new NativeTransactionalProducer(cluster(), id),
    admin: (): KafkaAdmin => new NativeAdmin(cluster()),
  };
}

/** Creates an inspector of the cluster's state with the same connection settings. */
export function createNativeInspector(connection: KafkaConnection, clientId: string): KafkaInspector {
  return new NativeInspector(new Cluster(connectionSettings(connection, clientId), connection.brokers));
}

function connectionSettings(connection: KafkaConnection, clientId: string): ConnectionSettings {
  const sasl = saslOptions(connection);
  const tls = tlsFiles(connection);
  return {
    clientId,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(sasl ? { sasl } : {}),
    ...(tls ? { tls } : {}),
  };
}

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

function saslOptions({
  saslMechanism,
  saslUsername = '',
  saslPassword = '',
}: KafkaConnection): SASLOptions | undefined {
  return (
    saslMechanism && { mechanism: MECHANISMS[saslMechanism], username: saslUsername, password: saslPassword }
  );
}
