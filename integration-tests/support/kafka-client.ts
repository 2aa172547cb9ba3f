import { fromEnvironment, type ConfigInput } from '../../core/config/config.js';

const { KAFKA_CLIENT, KAFKA_GROUP_PROTOCOL } = process.env;

/** The Kafka client and group protocol under test, from the environment or by default. */
export const CHOSEN_CLIENT: ConfigInput = fromEnvironment({ KAFKA_CLIENT, KAFKA_GROUP_PROTOCOL });
