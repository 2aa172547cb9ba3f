import { checkConfig } from '../core/config.js';
import { createKafkaJsClient } from '../core/kafka/kafkajs/client.js';
import { createPlatformaticClient } from '../core/kafka/platformatic/client.js';
import { createLogger } from '../core/log.js';
import { describeKafkaPort } from './support/conformance.js';

describeKafkaPort('platformatic', (brokers) =>
  createPlatformaticClient(checkConfig({ brokers }), 'conformance'),
);
describeKafkaPort('kafkajs', (brokers) =>
  createKafkaJsClient(checkConfig({ brokers }), 'conformance', createLogger('conformance', 'silent')),
);
