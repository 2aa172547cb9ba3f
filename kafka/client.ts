import type { Logger } from '../core/log.js';
import type { KafkaConnection } from './connection.js';
import { createKafkaJsClient } from './kafkajs/client.js';
import { createNativeClient } from './native/client.js';
import type { KafkaClient } from './port.js';

/**
 * Creates the client selected by the configuration (`KAFKA_CLIENT`).
 * @param clientId appears in the broker's logs and quotas
 */
export function createKafkaClient(connection: KafkaConnection, clientId: string, log: Logger): KafkaClient {
  if (connection.kafkaClient === 'native') return createNativeClient(connection, clientId, log);
  return createKafkaJsClient(connection, clientId, log);
}
