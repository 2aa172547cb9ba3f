import { checkConfig } from '../core/config.js';
import { createKafkaJsClient } from '../core/kafka/kafkajs/client.js';
import { createLogger } from '../core/log.js';
import { describeKafkaPort } from './support/conformance.js';

describeKafkaPort('kafkajs', (brokers) =>
  createKafkaJsClient(checkConfig({ brokers }), 'conformance', createLogger('conformance', 'silent')),
);
