import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { HandledDeadLetters, tombstoneOf, markOf, type Disposition } from './handled.js';
import { letterRecord } from '../../testing/dead-letters.js';

const asRead = (record: OutgoingRecord): KafkaRecord => ({
  ...record,
  partition: 0,
  offset: 0,
  timestamp: 0,
});
const marked = (letter: KafkaRecord, disposition: Disposition): KafkaRecord =>
  asRead(markOf('p.dead-letters', letter, disposition, 0));

test('the disposition of a letter is its latest mark', () => {
  const handled = new HandledDeadLetters();
  const letters = [0, 1, 255, 256, 1_000_000_007].map((offset) => letterRecord({}, { offset }));
  for (const letter of letters) handled.add(marked(letter, 'replayed'));
  const [first = fail(), second = fail(), third = fail()] = letters;
  handled.add(marked(second, 'dropped'));
  handled.add(asRead(tombstoneOf('p.dead-letters', third, third.offset)));
  assert.deepEqual(
    letters.map((letter) => handled.dispositionOf(letter)),
    ['replayed', 'dropped', undefined, 'replayed', 'replayed'],
  );
  assert.equal(handled.dispositionOf({ ...first, partition: 2 }), undefined);
  assert.equal(handled.dispositionOf({ ...first, topic: 'other' }), undefined);
});

test('a letter at the same offset of a recreated topic is a different one', () => {
  const handled = new HandledDeadLetters();
  handled.add(marked(letterRecord({}), 'dropped'));
  assert.equal(handled.dispositionOf(letterRecord({})), 'dropped');
  assert.equal(handled.dispositionOf(letterRecord({}, { timestamp: 1_700_000_000_001 })), undefined);
});

test('marks of deleted letters are found, those of other topics are not', () => {
  const handled = new HandledDeadLetters((topic) => topic === 'orders-dlt');
  for (const offset of [3, 600, 700]) handled.add(marked(letterRecord({}, { offset }), 'dropped'));
  handled.add(marked(letterRecord({}, { topic: 'other-dlt' }), 'dropped'));
  assert.deepEqual([...handled.before({ topic: 'orders-dlt', partition: 1 }, 700)], [3, 600]);
  assert.deepEqual([...handled.before({ topic: 'other-dlt', partition: 1 }, 700)], []);
});

test('malformed marks leave letters unhandled', () => {
  const handled = new HandledDeadLetters();
  const mark = marked(letterRecord({}), 'dropped');
  for (const value of ['', 'null', '[]', '{"state":"eaten","letterTime":1}', '{"state":"dropped"}'])
    handled.add({ ...mark, value: Buffer.from(value) });
  for (const key of [null, Buffer.alloc(0), Buffer.from('orders-dlt/1'), Buffer.from('orders-dlt/1/x')])
    handled.add({ ...mark, key });
  assert.equal(handled.dispositionOf(letterRecord({})), undefined);
});

test('a million adjacent handled letters take a few megabytes', () => {
  const before = process.memoryUsage().arrayBuffers;
  const handled = new HandledDeadLetters();
  const letter = letterRecord({});
  for (let offset = 0; offset < 1_000_000; offset++) handled.handle({ ...letter, offset }, 'replayed');
  assert.equal(handled.dispositionOf({ ...letter, offset: 999_999 }), 'replayed');
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 16 * 1024 * 1024, `${grown} bytes`);
});

function fail(): never {
  throw new Error('missing');
}
