import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonError } from './json-error.js';
import { JsonScanner } from './json-scanner.js';
import { isNumberArray, type NumberArray } from './number-array.js';

/** Reads `text` in chunks that end at `cuts`. */
function scan(text: string, cuts: readonly number[] = []): unknown {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner();
  let begin = 0;
  for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    scanner.push(bytes.subarray(begin, end));
    begin = end;
  }
  return scanner.end();
}

/** Converts number arrays back to nested arrays. */
function plain(value: unknown): unknown {
  if (isNumberArray(value)) return nested(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]));
}

function nested({ shape, values, exact }: NumberArray): unknown {
  let at = 0;
  const number = (index: number): unknown => exact.get(index) ?? values[index];
  const take = (level: number): unknown =>
    level === shape.length ? number(at++) : Array.from({ length: shape[level] ?? 0 }, () => take(level + 1));
  return take(0);
}

const scanned = (text: string, cuts: readonly number[] = []): unknown => plain(scan(text, cuts));

/** Rounds integers beyond 2^53 as JSON.parse does. */
const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, entry: unknown) => (typeof entry === 'bigint' ? Number(entry) : entry)),
  );

test('any JSON text, in any chunks, reads as JSON.parse reads it', () => {
  const numbers = fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })));
  const value = fc.oneof(fc.jsonValue(), numbers, fc.array(fc.oneof(fc.integer(), numbers, fc.string())));
  fc.assert(
    fc.property(value, fc.array(fc.nat()), fc.constantFrom(undefined, 1), (given, cuts, indent) => {
      const text = JSON.stringify(given, null, indent);
      assert.deepEqual(rounded(scanned(text, cuts)), rounded(JSON.parse(text)));
    }),
    { numRuns: 2_000 },
  );
});

test('a text that JSON.parse refuses is refused', () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '.5',
    '1e',
    'true',
    'nul',
    ' ',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), fc.array(fc.nat()), (parts, cuts) => {
      const text = parts.join('');
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        assert.throws(() => scan(text, cuts), JsonError);
        return;
      }
      assert.deepEqual(scanned(text, cuts), expected);
    }),
    { numRuns: 20_000 },
  );
});

test('numbers are read to the last bit', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 0, max: 20 }),
      (number, digits) => {
        for (const text of [String(number), number.toExponential(digits), number.toPrecision(digits + 1)])
          if (Number.isFinite(Number(text)))
            assert.deepEqual(rounded(scanned(`[${text}]`, [2])), rounded([Number(text)]), text);
      },
    ),
    { numRuns: 5_000 },
  );
});

test('a rectangular array of numbers is one typed array', () => {
  const array = scan('[[[1,2],[3,4]],[[5,6],[7,8]]]') as NumberArray;
  assert.deepEqual(
    [array.shape, [...array.values]],
    [
      [2, 2, 2],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
  );
});

test('integers beyond 2^53 keep their digits', () => {
  assert.deepEqual(scanned('[9223372036854775807, -9007199254740993, 3]'), [
    9223372036854775807n,
    -9007199254740993n,
    3,
  ]);
});

test('NaN and infinities are bare tokens', () => {
  assert.deepEqual(scanned('[NaN, Infinity, -Infinity]', [2, 5, 11]), [NaN, Infinity, -Infinity]);
});

test('a string that lies across many chunks is read whole', () => {
  const text = `${'a'.repeat(1_000)}\\"é`;
  const cuts = Array.from({ length: 1_000 }, (_, index) => index);
  assert.deepEqual(scanned(JSON.stringify({ text }), cuts), { text });
});

test('errors name the offset', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'The document is empty. at offset: 0'],
    ['{"a" 1}', 'Missing a colon after a name of object member. at offset: 5'],
    ['[1 2]', 'Missing a comma or ] after an array element. at offset: 3'],
    ['[1,]', 'Invalid value. at offset: 3'],
    ['{1}', 'Missing a name for object member. at offset: 1'],
    ['[1e999]', 'Number too big to be stored in double. at offset: 1'],
    ['[01]', 'Invalid value. at offset: 1'],
    ['"abc', 'Missing a closing quotation mark in string. at offset: 0'],
    ['{} {}', 'The document root must not be followed by other values. at offset: 3'],
    ['['.repeat(65), 'Nested deeper than 64 levels. at offset: 64'],
  ];
  for (const [text, message] of cases) assert.throws(() => scan(text), { message }, text);
});
