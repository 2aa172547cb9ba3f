import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { startTestBroker } from './broker.js';

const { Kafka, logLevel } = kafkajs;

test(
  'a test broker keeps its address and data across a kill and a restart',
  { timeout: 120_000 },
  async () => {
    const broker = await startTestBroker();
    try {
      const admin = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'kept' }], waitForLeaders: true });
      await admin.disconnect();
      await broker.kill();
      await broker.restart();
      await broker.restart();
      await admin.connect();
      assert.deepEqual(await admin.listTopics(), ['kept']);
      await admin.disconnect();
    } finally {
      await broker.stop();
    }
  },
);
