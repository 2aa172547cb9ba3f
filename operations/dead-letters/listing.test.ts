import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesFilter, isNarrow, type DeadLetterFilter } from './filter.js';
import { readDeadLetter, type DeadLetter } from './dead-letter.js';
import { Listing } from './listing.js';
import { isText, oneLine, textOrHex } from '../../core/printable.js';
import { Counts } from './counts.js';
import { letterRecord, texts } from '../../testing/dead-letters.js';

const letter = (reason: string, timestamp = 0, key: Buffer | null = null): DeadLetter =>
  readDeadLetter(
    letterRecord(
      texts({ '__connect.errors.exception.class.name': reason, '__connect.errors.stage': 'TRANSFORM' }),
      { timestamp, key },
    ),
  );

test('a listing keeps the newest in time order and counts all by reason', () => {
  const listing = new Listing(2);
  for (let time = 0; time < 5_000; time++)
    listing.add(letter(time % 4 === 0 ? 'A' : 'B', (time * 7) % 5_000), undefined);
  assert.deepEqual(
    listing.newest().map(({ timestamp }) => timestamp),
    [4_998, 4_999],
  );
  assert.deepEqual(listing.byReason.entries(), [
    ['B', 3_750],
    ['A', 1_250],
  ]);
});

test('the number of counted names is limited', () => {
  const counts = new Counts();
  for (let name = 0; name < 10_000; name++) counts.add(String(name));
  assert.ok(counts.entries().length <= 201);
  assert.deepEqual([counts.total, counts.entries()[0]], [10_000, ['(others)', 9_800]]);
});

test('a letter must match all conditions, and handled letters match only with --all', () => {
  const matches = (filter: Partial<DeadLetterFilter>, disposition?: 'replayed'): boolean =>
    matchesFilter(letter('org.acme.errors.Bad$Data', 100, Buffer.from('k')), disposition, {
      all: false,
      ...filter,
    });
  assert.ok(matches({}));
  assert.ok(!matches({}, 'replayed'));
  assert.ok(matches({ all: true }, 'replayed'));
  assert.ok(
    matches({ reason: 'org.acme.errors.Bad$Data' }) &&
      matches({ reason: 'Data' }) &&
      !matches({ reason: 'Bad' }),
  );
  assert.ok(matches({ stage: 'transform' }) && !matches({ stage: 'decode' }));
  assert.ok(matches({ since: 100, until: 101 }) && !matches({ since: 101 }) && !matches({ until: 100 }));
  assert.ok(
    matches({ keys: [Buffer.from('x'), Buffer.from('k')] }) && !matches({ keys: [Buffer.from('x')] }),
  );
  assert.ok(!matches({ since: 100, reason: 'Other' }));
  assert.ok(!matchesFilter(letter('A'), undefined, { all: false, keys: [Buffer.from('k')] }));
});

test('a filter is narrow when anything but --all is given', () => {
  assert.ok(!isNarrow({ all: true }) && isNarrow({ all: false, until: 0 }));
});

test('bytes are shown as text only if that is safe, and cut between characters', () => {
  assert.ok(
    isText(Buffer.from('zwölf\n\tlines')) &&
      !isText(Buffer.from([0xff])) &&
      !isText(Buffer.from('\u001b[2J')),
  );
  assert.equal(textOrHex(Buffer.from('key'), 10), 'key');
  assert.equal(textOrHex(Buffer.from([0, 255]), 10), '0x00ff');
  assert.equal(textOrHex(Buffer.from('ääää'), 3), 'ä…');
  assert.equal(textOrHex(Buffer.alloc(20), 2), '0x0000…');
  assert.equal(oneLine('a\nb\u001b[31mc', 20), 'a·b·[31mc');
  assert.equal(oneLine('abcdef', 4), 'abc…');
});
