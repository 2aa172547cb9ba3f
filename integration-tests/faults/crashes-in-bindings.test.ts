import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OPTIONS } from '../../core/config/config.js';
import { headerText } from '../../schemas/framing/framing.js';
import { BoundTopic } from '../support/bound-topic.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { CHOSEN_CLIENT } from '../support/kafka-client.js';

const RECORDS = 100;
const BOMB = 57;
const LIMIT_MS = 90_000;
const canTransact = (CHOSEN_CLIENT.kafkaClient ?? OPTIONS.kafkaClient.fallback) === 'native';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['abort-onnx'], { sessionTimeoutMs: 6_000, drainTimeoutMs: 5_000 });
});
after(() => harness.close());

/** Counts the outcomes of bound records, one of which crashes its process, on two nodes that are restarted. */
async function endsWithBomb(name: string, exactlyOnce: boolean): Promise<void> {
  const bound = await BoundTopic.apply(
    harness,
    {
      name,
      source: { topic: `${name}-in`, format: 'json' },
      model: 'abort-onnx',
      inputs: { x: [{ field: 'value' }] },
      output: { topic: `${name}-out`, fields: { y: {} } },
      exactlyOnce,
    },
    2,
  );
  const nodes = await Promise.all([harness.supervisedNode(), harness.supervisedNode()]);
  const numbers = Array.from({ length: RECORDS }, (_, number) => number);
  await bound.send(
    numbers.map((number) => ({
      key: Buffer.from(String(number)),
      partition: number % 2,
      value: Buffer.from(JSON.stringify({ value: number === BOMB ? 1 : -number })),
    })),
  );
  await bound.handled(RECORDS, LIMIT_MS);
  await eventually('all offsets are committed', async () => (await bound.uncommitted()) === 0, LIMIT_MS);
  const results = (await harness.read(`${name}-out`)).map(({ key }) => Number(key));
  const letters = await bound.deadLetters();
  assert.deepEqual(
    letters.map(({ key, headers }) => [Number(key), headerText(headers, 'inference-error')]),
    [[BOMB, 'MODEL_CRASHED']],
  );
  assert.deepEqual(
    [...new Set(results)].sort((a, b) => a - b),
    numbers.filter((number) => number !== BOMB),
  );
  if (exactlyOnce) assert.equal(results.length, RECORDS - 1);
  assert.equal(
    nodes.reduce((sum, { restarts }) => sum + restarts, 0),
    1,
  );
  await bound.remove();
  await Promise.all(nodes.map((node) => node.stop()));
}

test('a bound record that crashes its process becomes a dead letter, and no other is lost', () =>
  endsWithBomb('least', false));

const skip = canTransact ? false : 'exactlyOnce needs KAFKA_CLIENT=native, and this run uses kafkajs';
test('with exactlyOnce, every other record has exactly one result', { skip }, () =>
  endsWithBomb('exactly', true),
);
