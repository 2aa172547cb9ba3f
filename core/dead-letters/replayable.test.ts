import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetter } from './letter.js';
import { replayable } from './replayable.js';
import { LETTER_TOPICS, letterRecord, texts } from './test-letters.js';

const decide = (headers: Readonly<Record<string, string>>, topic = 'orders'): string => {
  const letter = readDeadLetter(letterRecord(texts({ '__connect.errors.topic': topic, ...headers })));
  const decision = replayable(letter, LETTER_TOPICS, 3);
  return 'to' in decision ? `to ${decision.to.topic}` : decision.refusal;
};

test('a letter goes to the topic that it came from, until it came back too often', () => {
  assert.equal(decide({}), 'to orders');
  assert.equal(decide({ 'partitura-replays': '2' }), 'to orders');
  assert.equal(decide({ 'partitura-replays': '3' }), 'came back 3 times (--max-replays 3)');
  assert.equal(decide({ 'partitura-replays': '-1' }), 'its header partitura-replays is not a number');
});

test('nothing goes round: not to its own topic, nor to others of dead letters', () => {
  assert.equal(decide({}, 'orders-dlt'), 'it came from this very topic');
  for (const topic of ['wine.failed', 'p.digits.requests-dlt', 'orders.DLT', 'my-dlq', 'shop.dead-letters'])
    assert.equal(decide({}, topic), `it came from ${topic}, a dead-letter topic`);
});

test('what a letter names is no way into topics that a cluster keeps for itself', () => {
  for (const topic of ['p.bindings', 'p.nodes', 'p.dead-letters', '__consumer_offsets'])
    assert.match(decide({}, topic), /where records of others do not belong$/);
  assert.equal(decide({}, 'a b'), 'its header names no topic that could exist');
});

test('what is not whole is not replayed', () => {
  assert.equal(decide({ '__connect.errors.value.dropped': '9 bytes' }), 'its value was too large to be kept');
  const letter = readDeadLetter(letterRecord({}));
  assert.deepEqual(replayable(letter, LETTER_TOPICS, 3), {
    refusal: 'no header names the topic that it came from',
  });
});
