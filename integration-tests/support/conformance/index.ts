import { after, before, describe } from 'node:test';
import type { KafkaClient } from '../../../kafka/port.js';
import { testConsuming } from './consuming.js';
import { testGroups } from './groups.js';
import { testOutages } from './outages.js';
import { PortUnderTest, type Abilities } from './port-under-test.js';
import { testRecords } from './records.js';
import { testScanning } from './scanning.js';
import { testShareGroups } from './share-groups.js';
import { testTopics } from './topics.js';
import { testTransactions } from './transactions.js';

/**
 * Defines the conformance tests of the Kafka port, on a real broker. Call it once per client.
 */
export function describeKafkaPort(
  name: string,
  abilities: Abilities,
  createClient: (brokers: string) => KafkaClient,
): void {
  describe(`the Kafka port on ${name}`, () => {
    const port = new PortUnderTest(abilities, createClient);
    before(() => port.start());
    after(() => port.stop());

    testRecords(port);
    testConsuming(port);
    testScanning(port);
    testOutages(port);
    testTransactions(port);
    testGroups(port);
    testShareGroups(port);
    testTopics(port);
  });
}
