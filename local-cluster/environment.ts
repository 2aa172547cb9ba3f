import { toEnvironment, type Config } from '../core/config/config.js';

/** Returns the folder of Kafka's jars that PARTITURA_KAFKA_LIBS names; undefined if unset. */
export function namedKafkaLibs(): string | undefined {
  return process.env.PARTITURA_KAFKA_LIBS;
}

/** Returns the Kafka image that PARTITURA_KAFKA_IMAGE names; undefined if unset or empty. */
export function namedKafkaImage(): string | undefined {
  return process.env.PARTITURA_KAFKA_IMAGE || undefined;
}

/** Returns the environment of a node process: that of this process, overridden by the configuration. */
export function nodeEnvironment(config: Partial<Config>): NodeJS.ProcessEnv {
  return { ...process.env, ...toEnvironment(config) };
}
