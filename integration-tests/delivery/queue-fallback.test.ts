import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InferenceNode } from '../../consumers/node/node.js';
import type { ConfigInput } from '../../core/config/config.js';
import { Harness } from '../support/harness.js';
import { floats, valuesOf, type RawClient } from '../support/raw-client.js';

const MODEL = 'scale-onnx';
let harness: Harness;
let caller: RawClient;

before(async () => {
  harness = await Harness.start([MODEL], { kafkaClient: 'native' });
  caller = await harness.rawClient();
});
after(() => harness.close());

/** Starts a node on topics of its own, and returns how it delivers once it has answered. */
async function served(
  settings: ConfigInput & { prefix: string },
): Promise<{ node: InferenceNode; text: string }> {
  const node = await harness.node(settings);
  const topic = `${settings.prefix}.${MODEL}.requests`;
  const asked = caller.request(topic, { model: MODEL, inputs: [floats('x', [1, 4], [1, 2, 3, 4])] });
  await caller.answered([asked]);
  assert.deepEqual(valuesOf(caller.replyTo(asked).outputs[0]), [2, 4, 6, 8]);
  const [version] = node.status().models.filter(({ state }) => state === 'AVAILABLE');
  return { node, text: [version?.delivery, version?.deliveryNote].join(': ') };
}

test('a client without share groups delivers in order, with the reason in its status', async () => {
  const { text } = await served({ prefix: 'old', delivery: 'queue', kafkaClient: 'kafkajs' });
  assert.match(text, /^ordered: not delivered as a queue: kafkajs has no share groups/);
});

test('while a consumer group exists, its nodes deliver in order although a queue is wanted', async () => {
  const first = await served({ prefix: 'ordered-first', delivery: 'ordered' });
  assert.equal(first.text, 'ordered: ');
  const second = await served({ prefix: 'ordered-first', delivery: 'queue' });
  assert.match(second.text, /^ordered: .*ordered-first\.scale-onnx is a consumer group/);
  await Promise.all([first.node.close(), second.node.close()]);
  const third = await served({ prefix: 'ordered-first', delivery: 'queue' });
  assert.match(third.text, /^ordered: .* is a consumer group until it is deleted$/);
});

test('while a share group exists, its nodes deliver a queue although order is wanted', async () => {
  const first = await served({ prefix: 'queue-first', delivery: 'queue' });
  assert.equal(first.text, 'queue: ');
  const second = await served({ prefix: 'queue-first', delivery: 'ordered' });
  assert.match(second.text, /^queue: delivered as a queue: queue-first\.scale-onnx is a share group/);
});
