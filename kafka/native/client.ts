import type { SASLOptions } from '@platformatic/kafka';
import type { Logger } from '../../core/log.js';
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
import { PlatformaticAdmin } from './admin.js';
import { Cluster } from './transport/cluster.js';
import type { ConnectionSettings } from './transport/connections.js';
import { PlatformaticConsumer } from './consumer.js';
import { PlatformaticInspector } from './inspector.js';
import { PlatformaticProducer } from './producer.js';
import { PlatformaticTransactionalProducer } from './transactional-producer.js';

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * A client on the connections and messages of `@platformatic/kafka`. Its producer, consumer and admin are not used:
 * what they do is ours here, for the reasons that docs/DESIGN.md gives.
 * @param clientId shows in the broker's logs and quotas
 */
export function createPlatformaticClient(
  connection: KafkaConnection,
  clientId: string,
  log: Logger,
): KafkaClient {
  const settings = connectionSettings(connection, clientId);
  const outages = new Outages(log, connection.brokers);
  const cluster = (): Cluster => new Cluster(settings, connection.brokers, { outage: outages.link() });
  return {
    outages,
    producer: (): KafkaProducer => new PlatformaticProducer(cluster()),
    consumer: (options: ConsumerOptions): KafkaConsumer => new PlatformaticConsumer(cluster(), options, log),
    transactionalProducer: (id: string): TransactionalProducer =>
      new PlatformaticTransactionalProducer(cluster(), id),
    admin: (): KafkaAdmin => new PlatformaticAdmin(cluster()),
  };
}

/** The same connection for looks at the cluster's own state. */
export function createInspector(connection: KafkaConnection, clientId: string): KafkaInspector {
  return new PlatformaticInspector(new Cluster(connectionSettings(connection, clientId), connection.brokers));
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
