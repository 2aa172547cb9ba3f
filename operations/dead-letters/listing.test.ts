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

test('a listing keeps the newest in the order of their times, and counts all by reason', () => {
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

test('a tally of names that strangers choose has an end', () => {
  const tally = new Counts();
  for (let name = 0; name < 10_000; name++) tally.add(String(name));
  assert.ok(tally.entries().length <= 201);
  assert.deepEqual([tally.total, tally.entries()[0]], [10_000, ['(others)', 9_800]]);
});

test('filters mean what matches all of them, and what is handled only when all are asked for', () => {
  const meant = (filter: Partial<DeadLetterFilter>, handling?: 'replayed'): boolean =>
    matchesFilter(letter('org.acme.errors.Bad$Data', 100, Buffer.from('k')), handling, {
      all: false,
      ...filter,
    });
  assert.ok(meant({}));
  assert.ok(!meant({}, 'replayed'));
  assert.ok(meant({ all: true }, 'replayed'));
  assert.ok(
    meant({ reason: 'org.acme.errors.Bad$Data' }) && meant({ reason: 'Data' }) && !meant({ reason: 'Bad' }),
  );
  assert.ok(meant({ stage: 'transform' }) && !meant({ stage: 'decode' }));
  assert.ok(meant({ since: 100, until: 101 }) && !meant({ since: 101 }) && !meant({ until: 100 }));
  assert.ok(meant({ keys: [Buffer.from('x'), Buffer.from('k')] }) && !meant({ keys: [Buffer.from('x')] }));
  assert.ok(!meant({ since: 100, reason: 'Other' }));
  assert.ok(!matchesFilter(letter('A'), undefined, { all: false, keys: [Buffer.from('k')] }));
});

test('a filter is narrow when anything but --all is given', () => {
  assert.ok(!isNarrow({ all: true }) && isNarrow({ all: false, until: 0 }));
});

test('bytes are text only where they are safe to read, and cut between characters', () => {
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
