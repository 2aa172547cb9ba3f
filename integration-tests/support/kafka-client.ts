import type { ConfigInput } from '../../core/config.js';

/** The Kafka client that this test run is about: `KAFKA_CLIENT` in its environment, else the default. */
export const CHOSEN_CLIENT: ConfigInput = process.env['KAFKA_CLIENT']
  ? { kafkaClient: process.env['KAFKA_CLIENT'] }
  : {};
