import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../eventually.js';
import { plain, type PortUnderTest } from './port-under-test.js';

/** Tests producers and consumers during broker outages. */
export function testOutages(port: PortUnderTest): void {
  test('producer and consumer survive a crash and restart of the broker', async () => {
    const topic = await port.createTopic(1);
    const reader = await port.consume({ topic });
    const fixed = await port.consume({ topic, from: 'latest', partitions: [0] });
    await port.producer.send([plain(topic, 'before')]);
    await eventually('the first record', () => reader.records.length === 1);
    await port.broker.kill();
    await port.broker.restart();
    await eventually(
      'the producer is back',
      () =>
        port.producer.send([plain(topic, 'after')]).then(
          () => true,
          () => false,
        ),
      60_000,
    );
    await eventually(
      'the consumers are back',
      () => reader.values().includes('after') && fixed.values().includes('after'),
      60_000,
    );
    assert.equal(fixed.values().filter((value) => value === 'before').length, 1);
  });

  test('a consumer closes in bounded time during a broker outage', async () => {
    const topic = await port.createTopic(1);
    const group = await port.consume({ topic });
    const fixed = await port.consume({ topic, partitions: [0] });
    await port.broker.kill();
    const began = performance.now();
    await Promise.allSettled([group.consumer.close(), fixed.consumer.close()]);
    const took = performance.now() - began;
    await port.broker.restart();
    await eventually('the broker is back', () =>
      port.admin.listTopics().then(
        () => true,
        () => false,
      ),
    );
    assert.ok(took < 20_000, `it took ${took} ms`);
  });
}
