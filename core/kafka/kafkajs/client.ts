import { readFileSync } from 'node:fs';
import kafkajs, { type KafkaConfig, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Config } from '../../config.js';
import type { Logger } from '../../log.js';
import type { ConsumerOptions, KafkaAdmin, KafkaClient, KafkaConsumer, KafkaProducer } from '../port.js';
import { KafkaJsAdmin } from './admin.js';
import { registerCompression } from './compression.js';
import { KafkaJsConsumer } from './consumer.js';
import { KafkaJsProducer } from './producer.js';
import { RETRY } from './retry.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** How to reach the cluster: the part of the configuration that the Kafka client reads. */
export type KafkaConnection = Pick<
  Config,
  'brokers' | 'saslMechanism' | 'saslUsername' | 'saslPassword' | 'ssl' | 'sslCa' | 'sslCert' | 'sslKey'
>;

/** @param clientId shows in the broker's logs and quotas */
export function createKafkaJsClient(connection: KafkaConnection, clientId: string, log: Logger): KafkaClient {
  registerCompression();
  const kafka = new kafkajs.Kafka(kafkaConfig(connection, clientId, log));
  return {
    producer: (): KafkaProducer => new KafkaJsProducer(kafka, connection.brokers),
    consumer: (options: ConsumerOptions): KafkaConsumer => new KafkaJsConsumer(kafka, options),
    admin: (): KafkaAdmin => new KafkaJsAdmin(kafka.admin(), connection.brokers),
  };
}

function kafkaConfig(connection: KafkaConnection, clientId: string, log: Logger): KafkaConfig {
  const sasl = saslOptions(connection);
  return {
    clientId,
    brokers: [...connection.brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logCreator: () => (entry) => write(log, entry),
    ...(sasl ? { sasl } : {}),
    ...(connection.ssl ? { ssl: tlsOptions(connection) } : {}),
  };
}

function saslOptions({
  saslMechanism: mechanism,
  saslUsername = '',
  saslPassword = '',
}: KafkaConnection): SASLOptions | undefined {
  return mechanism && { mechanism, username: saslUsername, password: saslPassword };
}

function tlsOptions({ sslCa, sslCert, sslKey }: KafkaConnection): {
  ca?: string[];
  cert?: string;
  key?: string;
} {
  return {
    ...(sslCa ? { ca: [readFileSync(sslCa, 'utf8')] } : {}),
    ...(sslCert ? { cert: readFileSync(sslCert, 'utf8') } : {}),
    ...(sslKey ? { key: readFileSync(sslKey, 'utf8') } : {}),
  };
}

/** kafkajs calls an error what it then retries: what ends up failing is thrown, and logged by whoever owns it. */
function write(log: Logger, { level, namespace, log: entry }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...details } = entry;
  const line = { component: `kafkajs/${namespace}`, ...details };
  if (level === kafkajs.logLevel.ERROR) log.warn(line, message);
  else log.debug(line, message);
}
