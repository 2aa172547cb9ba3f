import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { readDeadLetter } from './dead-letter.js';
import { replayable } from './replayable.js';
import { LETTER_TOPICS, letterRecord, texts } from '../../testing/dead-letters.js';

const decide = (headers: Readonly<Record<string, string>>, topic = 'orders'): string => {
  const letter = readDeadLetter(letterRecord(texts({ '__connect.errors.topic': topic, ...headers })));
  const decision = replayable(letter, LETTER_TOPICS, 3);
  return 'to' in decision ? `to ${decision.to.topic}` : decision.refusal;
};

test('a letter is replayed to its original topic until it came back too often', () => {
  assert.equal(decide({}), 'to orders');
  assert.equal(decide({ 'partitura-replays': '2' }), 'to orders');
  assert.equal(decide({ 'partitura-replays': '3' }), 'came back 3 times (--max-replays 3)');
  assert.equal(decide({ 'partitura-replays': '-1' }), 'header partitura-replays is not a number');
});

test('no replay loops: neither to its own topic nor to other dead-letter topics', () => {
  assert.equal(decide({}, 'orders-dlt'), 'its origin is this very topic');
  for (const topic of ['wine.failed', 'p.digits.requests-dlt', 'orders.DLT', 'my-dlq', 'shop.dead-letters'])
    assert.equal(decide({}, topic), `its origin ${topic} is a dead-letter topic`);
});

test('a letter cannot be replayed into internal topics', () => {
  for (const topic of [
    'p.bindings',
    'p.nodes',
    'p.dead-letters',
    '__consumer_offsets',
    '_schemas',
    'connect-configs',
  ])
    assert.match(decide({}, topic), /is an internal topic$/);
  assert.equal(decide({}, 'a b'), 'its origin is not a valid topic name');
});

test('an incomplete letter is not replayed', () => {
  const dropped = texts({
    '__connect.errors.topic': 'orders',
    '__connect.errors.value.dropped': 'too large',
  });
  assert.deepEqual(replayable(readDeadLetter(letterRecord(dropped, { value: null })), LETTER_TOPICS, 3), {
    refusal: 'its value was dropped: too large',
  });
  assert.equal(decide({ '__connect.errors.value.dropped': 'says its sender' }), 'to orders');
  const letter = readDeadLetter(letterRecord({}));
  assert.deepEqual(replayable(letter, LETTER_TOPICS, 3), {
    refusal: 'no header names its original topic',
  });
});

test('letters of the cluster are replayed only to the origin of their topic, whatever headers their sender set', () => {
  const decided = (topic: string, headers: RecordHeaders): string => {
    const decision = replayable(readDeadLetter(letterRecord(headers, { topic })), LETTER_TOPICS, 3);
    return 'to' in decision ? `to ${decision.to.topic}` : decision.refusal;
  };
  const forged = {
    '__connect.errors.topic': Buffer.from('victim'),
    'kafka_dlt-original-topic': [Buffer.from('victim'), Buffer.from('p.digits.requests')],
  };
  assert.equal(decided('p.digits.requests-dlt', forged), 'to p.digits.requests');
  assert.equal(
    decided('p.digits.requests-dlt', texts({ '__connect.errors.topic': 'victim' })),
    'no header names the expected origin p.digits.requests',
  );
  assert.equal(decided('wine.failed', texts({ '__connect.errors.topic': 'wine.in' })), 'to wine.in');
});
