import type { Config } from '../core/config/config.js';
import { createKafkaClient } from '../kafka/client.js';
import type { KafkaAdmin, KafkaClient } from '../kafka/port.js';
import { createLogger } from '../core/log.js';

/** Creates the Kafka client of a command. */
export function kafkaFor(config: Config): KafkaClient {
  return createKafkaClient(config, 'partitura-cli', createLogger('partitura', config.logLevel));
}

/** Runs `work` with a connected admin client and always closes it. @throws KafkaError if the cluster is unavailable */
export async function withAdmin<T>(kafka: KafkaClient, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.close();
  }
}
