import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { floats, valuesOf } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['picky', 'picky-onnx', 'sum', 'fixed']);
});
after(() => harness.close());

test('a row that makes the model fail fails alone, regardless of its batch', async () => {
  await harness.node();
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('picky');
  const asked = Array.from({ length: 300 }, (_, index) => {
    const value = index % 37 === 5 ? -1 : index;
    return {
      value,
      correlation: rawClient.request(topic, {
        model: 'picky',
        inputs: [floats('x', [1, 4], [value, value, 0, 1])],
      }),
    };
  });
  await rawClient.answered(asked.map(({ correlation }) => correlation));
  for (const { value, correlation } of asked) {
    const reply = rawClient.replyTo(correlation);
    if (value < 0) assert.equal(reply.error?.code, 'MODEL_FAILED');
    else
      assert.deepEqual(
        valuesOf(reply.outputs[0]),
        [value, value, 0, 1].map((x) => Math.fround(Math.sqrt(x))),
      );
  }
});

test('a row that only ONNX Runtime rejects fails alone, too', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('picky-onnx');
  const asked = Array.from({ length: 300 }, (_, index) => {
    const value = index % 37 === 5 ? 99 : index % 4;
    const data = Buffer.from(BigInt64Array.of(BigInt(value)).buffer);
    const inputs = [{ name: 'x', datatype: 'INT64', shape: [1], data }];
    return { value, correlation: rawClient.request(topic, { model: 'picky-onnx', inputs }) };
  });
  await rawClient.answered(asked.map(({ correlation }) => correlation));
  for (const { value, correlation } of asked) {
    const { error, outputs } = rawClient.replyTo(correlation);
    if (value === 99) assert.match(`${error?.code}: ${error?.message}`, /^MODEL_FAILED: .*idx=99/);
    else assert.deepEqual(valuesOf(outputs[0]), [value ** 2]);
  }
});

test('a request larger than a batch is split and joined in row order', async () => {
  const rawClient = await harness.rawClient();
  const rows = 1_000;
  const values = Array.from({ length: rows * 3 }, (_, index) => index % 1_000);
  const correlation = rawClient.request(harness.topics.requests('sum'), {
    model: 'sum',
    inputs: [floats('x', [rows, 3], values)],
  });
  await rawClient.answered([correlation]);
  const [output] = rawClient.replyTo(correlation).outputs;
  assert.deepEqual(output?.shape, [rows]);
  const expected = Array.from({ length: rows }, (_, row) =>
    values.slice(row * 3, row * 3 + 3).reduce((a, b) => a + b),
  );
  assert.deepEqual(valuesOf(output), expected);
});

test('a model with a batch size of exactly one is served one request at a time', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('fixed');
  const asked = Array.from({ length: 20 }, (_, index) =>
    rawClient.request(topic, { model: 'fixed', inputs: [floats('x', [1, 4], [index, 0, 0, 0])] }),
  );
  await rawClient.answered(asked);
  for (const correlation of asked) {
    assert.equal(rawClient.replyTo(correlation).error, null);
    assert.equal(rawClient.replyTo(correlation).timing?.batchSize, 1);
  }
});
