import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import { Harness } from '../support/harness.js';
import { floats } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale', 'sum']);
});
after(() => harness.close());

test('replies with the same key keep the order of their requests across batches, shapes and errors', async () => {
  await harness.node({ engineThreads: 2, maxBatchRows: 8 });
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('sum');
  const asked = Array.from({ length: 2_000 }, (_, index) => {
    const width = 1 + (index % 7);
    const rows = index % 50 === 0 ? 20 : 1;
    const shape = index % 13 === 0 ? [rows, width, 1] : [rows, width];
    const inputs = [floats('x', shape, new Array<number>(rows * width).fill(index))];
    return {
      key: `key-${index % 5}`,
      correlation: rawClient.request(topic, { model: 'sum', inputs }, { key: `key-${index % 5}` }),
    };
  });
  await rawClient.answered(asked.map(({ correlation }) => correlation));
  for (let key = 0; key < 5; key++) {
    const expected = asked
      .filter((request) => request.key === `key-${key}`)
      .map(({ correlation }) => correlation);
    const found = rawClient.log
      .filter((record) => record.key?.toString() === `key-${key}`)
      .map(({ headers }) => headerText(headers, 'correlation-id'));
    assert.deepEqual(found, expected);
  }
});
