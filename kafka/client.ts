import type { Logger } from '../core/log.js';
import type { KafkaConnection } from './connection.js';
import { createKafkaJsClient } from './kafkajs/client.js';
import type { KafkaInspector } from './inspector.js';
import { createNativeClient, createNativeInspector } from './native/client.js';
import type { KafkaClient } from './port.js';

/**
 * Creates the client selected by the configuration (`KAFKA_CLIENT`).
 * @param clientId appears in the broker's logs and quotas
 */
export function createKafkaClient(connection: KafkaConnection, clientId: string, log: Logger): KafkaClient {
  if (connection.kafkaClient === 'native') return createNativeClient(connection, clientId, log);
  return createKafkaJsClient(connection, clientId, log);
}

/** Creates an inspector of the cluster's own state. It is always native: kafkajs lacks most of its requests. */
export function createInspector(connection: KafkaConnection, clientId: string): KafkaInspector {
  return createNativeInspector(connection, clientId);
}
