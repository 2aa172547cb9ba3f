import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PartitionLedger, type Entry } from './ledger.js';

type Ledger = PartitionLedger<number, string>;
type LedgerEntry = Entry<number, string>;

function opened(ledger: Ledger, ...offsets: number[]): LedgerEntry[] {
  return offsets.map((offset) => {
    const entry = ledger.open(offset, offset);
    assert.ok(entry);
    return entry;
  });
}

const offsetsOf = (entries: readonly LedgerEntry[]): number[] => entries.map(({ offset }) => offset);

test('outcomes leave in the order of their records', () => {
  const ledger: Ledger = new PartitionLedger(true);
  const [a, b, c] = opened(ledger, 3, 4, 7) as [LedgerEntry, LedgerEntry, LedgerEntry];
  assert.deepEqual(ledger.settle(c, 'c'), []);
  assert.deepEqual(ledger.settle(b, 'b'), []);
  assert.deepEqual(offsetsOf(ledger.settle(a, 'a')), [3, 4, 7]);
});

test('unordered outcomes leave at once', () => {
  const ledger: Ledger = new PartitionLedger(false);
  const [a, b] = opened(ledger, 3, 4) as [LedgerEntry, LedgerEntry];
  assert.deepEqual(offsetsOf(ledger.settle(b, 'b')), [4]);
  assert.deepEqual(offsetsOf(ledger.settle(a, 'a')), [3]);
});

test('an overtaking outcome releases those that waited only for it', () => {
  const ledger: Ledger = new PartitionLedger(true);
  const [a, b, c] = opened(ledger, 0, 1, 2) as [LedgerEntry, LedgerEntry, LedgerEntry];
  assert.deepEqual(ledger.settle(b, 'b'), []);
  assert.deepEqual(offsetsOf(ledger.settle(c, 'c', true)), [2]);
  assert.deepEqual(offsetsOf(ledger.settle(a, 'a', true)), [0, 1]);
});

test('the committable position is that of the lowest unfinished record, across gaps in offsets', () => {
  const ledger: Ledger = new PartitionLedger(true);
  assert.equal(ledger.committable, undefined);
  const [a, b] = opened(ledger, 3, 9) as [LedgerEntry, LedgerEntry];
  assert.equal(ledger.committable, undefined);
  ledger.settle(a, 'a');
  ledger.settle(b, 'b');
  ledger.acknowledge(b);
  assert.equal(ledger.committable, undefined);
  ledger.acknowledge(a);
  assert.equal(ledger.committable, 10);
  ledger.committed(10);
  assert.equal(ledger.committable, undefined);
});

test('a redelivered record is refused, unfinished or finished', () => {
  const ledger: Ledger = new PartitionLedger(true);
  const [a] = opened(ledger, 5) as [LedgerEntry];
  assert.equal(ledger.open(5, 5), undefined);
  ledger.settle(a, 'a');
  ledger.acknowledge(a);
  assert.equal(ledger.open(5, 5), undefined);
  assert.equal(ledger.open(4, 4), undefined);
  assert.ok(ledger.open(6, 6));
});

test('an abandoned partition returns the outcomes that never left', () => {
  const ledger: Ledger = new PartitionLedger(true);
  const [a, , c] = opened(ledger, 0, 1, 2) as [LedgerEntry, LedgerEntry, LedgerEntry];
  ledger.settle(a, 'a');
  ledger.settle(c, 'c');
  assert.deepEqual(offsetsOf(ledger.abandon()), [2]);
});

/** An event: its record, as a fraction of the possible ones, and whether it settles and overtakes. */
const events = fc.array(
  fc.record({
    share: fc.double({ min: 0, max: 0.999, noNaN: true }),
    settles: fc.boolean(),
    overtakes: fc.boolean(),
  }),
  {
    maxLength: 60,
  },
);

function takeOne(entries: LedgerEntry[], share: number): LedgerEntry | undefined {
  return entries.splice(Math.floor(share * entries.length), 1)[0];
}

for (const mayOvertake of [false, true]) {
  const title = mayOvertake ? 'some of which overtake' : 'in order';
  test(`whatever the interleaving, ${title}: each outcome leaves once, and nothing unfinished is passed by the commit`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), events, (count, steps) => {
        const ledger: Ledger = new PartitionLedger(true);
        const open = opened(ledger, ...Array.from({ length: count }, (_, index) => index * 2));
        const unfinished = new Set(offsetsOf(open));
        const sent: LedgerEntry[] = [];
        const left: number[] = [];
        const settle = (entry: LedgerEntry | undefined, overtakes: boolean): void => {
          if (!entry) return;
          const released = ledger.settle(entry, 'outcome', overtakes);
          left.push(...offsetsOf(released));
          sent.push(...released);
        };
        const acknowledge = (entry: LedgerEntry | undefined): void => {
          if (!entry) return;
          ledger.acknowledge(entry);
          unfinished.delete(entry.offset);
          const position = ledger.committable;
          if (position !== undefined) assert.ok([...unfinished].every((offset) => offset >= position));
        };
        for (const { share, settles, overtakes } of steps) {
          if (settles) settle(takeOne(open, share), mayOvertake && overtakes);
          else acknowledge(takeOne(sent, share));
        }
        while (open.length > 0) settle(open.pop(), mayOvertake);
        while (sent.length > 0) acknowledge(sent.pop());
        const all = Array.from({ length: count }, (_, index) => index * 2);
        assert.deepEqual(mayOvertake ? [...left].sort((a, b) => a - b) : left, all);
        assert.deepEqual([ledger.committable, ledger.pending], [count * 2 - 1, 0]);
      }),
    );
  });
}

test("records before the ledger's first offset are not redeliveries", () => {
  const ledger = new PartitionLedger<string, string>(true);
  const [first] = [5, 6, 7].map((offset) => ledger.open(offset, 's'));
  assert.ok(first);
  assert.deepEqual(
    [4, 5, 7, 8].map((offset) => ledger.isRewound(offset)),
    [true, false, false, false],
  );
  ledger.settle(first, 'o');
  ledger.acknowledge(first);
  assert.equal(ledger.isRewound(5), true);
  assert.equal(ledger.isRewound(6), false);
});
