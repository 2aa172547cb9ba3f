import type { Config } from '../core/config/config.js';
import { createKafkaClient } from '../kafka/client.js';
import type { KafkaAdmin, KafkaClient } from '../kafka/port.js';
import { createLogger } from '../core/log.js';

/** The Kafka client of a command. */
export function kafkaFor(config: Config): KafkaClient {
  return createKafkaClient(config, 'partitura-cli', createLogger('partitura', config.logLevel));
}

/** Connects, works, and closes whatever comes of it. @throws KafkaError when the cluster can't be reached */
export async function withAdmin<T>(kafka: KafkaClient, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.close();
  }
}
