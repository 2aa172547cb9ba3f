import kafkajs, { type KafkaConfig, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Logger } from '../../log.js';
import { tlsFiles, type KafkaConnection } from '../connection.js';
import {
  KafkaError,
  type ConsumerOptions,
  type KafkaAdmin,
  type KafkaClient,
  type KafkaConsumer,
  type KafkaProducer,
  type TransactionalProducer,
} from '../port.js';
import { KafkaJsAdmin } from './admin.js';
import { registerCompression } from './compression.js';
import { KafkaJsConsumer } from './consumer.js';
import { KafkaJsProducer } from './producer.js';
import { RETRY } from './retry.js';
import { KafkaJsTransactionalProducer } from './transactional-producer.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** @param clientId shows in the broker's logs and quotas */
export function createKafkaJsClient(connection: KafkaConnection, clientId: string, log: Logger): KafkaClient {
  registerCompression();
  const kafka = new kafkajs.Kafka(kafkaConfig(connection, clientId, log));
  return {
    producer: (): KafkaProducer => new KafkaJsProducer(kafka, connection.brokers),
    consumer: (options: ConsumerOptions): KafkaConsumer => {
      checkMembership(options, log);
      return new KafkaJsConsumer(kafka, options, log);
    },
    transactionalProducer: (id: string): TransactionalProducer =>
      new KafkaJsTransactionalProducer(kafka, connection.brokers, id),
    admin: (): KafkaAdmin => new KafkaJsAdmin(kafka.admin(), connection.brokers),
  };
}

let warned = false;

/** An ordinary member does for one with an instance id, with more rebalances; another protocol is another matter. */
function checkMembership({ instanceId, groupProtocol }: ConsumerOptions, log: Logger): void {
  if (groupProtocol === 'consumer')
    throw new KafkaError(
      'other',
      'kafkajs does not know the group protocol "consumer": take KAFKA_CLIENT=platformatic, or KAFKA_GROUP_PROTOCOL=classic',
    );
  if (instanceId === undefined || warned) return;
  warned = true;
  log.warn(
    { instanceId },
    'kafkajs has no static membership: the instance id is ignored; KAFKA_CLIENT=platformatic has it',
  );
}

function kafkaConfig(connection: KafkaConnection, clientId: string, log: Logger): KafkaConfig {
  const sasl = saslOptions(connection);
  const ssl = tlsFiles(connection);
  return {
    clientId,
    brokers: [...connection.brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logCreator: () => (entry) => write(log, entry),
    ...(sasl ? { sasl } : {}),
    ...(ssl ? { ssl } : {}),
  };
}

function saslOptions({
  saslMechanism: mechanism,
  saslUsername = '',
  saslPassword = '',
}: KafkaConnection): SASLOptions | undefined {
  return mechanism && { mechanism, username: saslUsername, password: saslPassword };
}

/** kafkajs calls an error what it then retries: what ends up failing is thrown, and logged by whoever owns it. */
function write(log: Logger, { level, namespace, log: entry }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...details } = entry;
  const line = { component: `kafkajs/${namespace}`, ...details };
  if (level === kafkajs.logLevel.ERROR) log.warn(line, message);
  else log.debug(line, message);
}
