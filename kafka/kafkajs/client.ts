import kafkajs, { type KafkaConfig, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Logger } from '../../core/log.js';
import { ABILITIES } from '../abilities.js';
import { tlsFiles, type KafkaConnection } from '../connection.js';
import { Outages } from '../errors/outages.js';
import {
  KafkaError,
  type ConsumerOptions,
  type KafkaAdmin,
  type KafkaClient,
  type KafkaConsumer,
  type KafkaProducer,
  type TransactionalProducer,
} from '../port.js';
import { KafkaJsAdmin, NO_SHARE_GROUPS } from './admin.js';
import { registerCompression } from './compression.js';
import { KafkaJsConsumer } from './consumer.js';
import { KafkaJsProducer } from './producer.js';
import { RETRY } from './retry.js';
import { Session, withoutColons } from './session.js';
import { KafkaJsTransactionalProducer } from './transactional-producer.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** @param clientId appears in the broker's logs and quotas */
export function createKafkaJsClient(connection: KafkaConnection, clientId: string, log: Logger): KafkaClient {
  registerCompression();
  const outages = new Outages(log, connection.brokers);
  const config = kafkaConfig(connection, clientId, log, outages);
  const newSession = (): Session => new Session(config);
  return {
    abilities: ABILITIES.kafkajs,
    outages,
    producer: (): KafkaProducer => new KafkaJsProducer(newSession, connection.brokers),
    consumer: (options: ConsumerOptions): KafkaConsumer => {
      checkMembership(options, log);
      return new KafkaJsConsumer(newSession, options, { log, outage: outages.link() });
    },
    shareConsumer: () => {
      throw new KafkaError('other', NO_SHARE_GROUPS);
    },
    transactionalProducer: (id: string): TransactionalProducer =>
      new KafkaJsTransactionalProducer(newSession, connection.brokers, id),
    admin: (): KafkaAdmin => new KafkaJsAdmin(newSession, connection.brokers),
  };
}

let warned = false;

/**
 * Rejects options that kafkajs lacks. An ordinary member can replace one with an instance id, with more rebalances;
 * the group protocol has no substitute.
 */
function checkMembership({ instanceId, groupProtocol }: ConsumerOptions, log: Logger): void {
  if (groupProtocol === 'consumer')
    throw new KafkaError(
      'other',
      'kafkajs does not support KAFKA_GROUP_PROTOCOL=consumer: use KAFKA_CLIENT=native, or KAFKA_GROUP_PROTOCOL=classic',
    );
  if (instanceId === undefined || warned) return;
  warned = true;
  log.warn(
    { instanceId },
    'kafkajs does not support static membership; KAFKA_INSTANCE_ID is ignored (KAFKA_CLIENT=native supports it)',
  );
}

function kafkaConfig(
  connection: KafkaConnection,
  clientId: string,
  log: Logger,
  outages: Outages,
): KafkaConfig {
  const sasl = saslOptions(connection);
  const ssl = tlsFiles(connection);
  return {
    clientId,
    brokers: connection.brokers.map(withoutColons),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logCreator: () => (entry) => write(log, outages, entry),
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

/**
 * Forwards kafkajs's logs at debug level: it logs errors that it then retries, and final errors are thrown anyway.
 */
function write(log: Logger, outages: Outages, { level, namespace, log: entry }: LogEntry): void {
  if (level === kafkajs.logLevel.ERROR && namespace === 'Connection') outages.note(entry.message);
  const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...details } = entry;
  log.debug({ component: `kafkajs/${namespace}`, ...details }, message);
}
