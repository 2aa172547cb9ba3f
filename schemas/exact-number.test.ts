import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exactNumber, RoundedNumber } from './exact-number.js';
import { decodeElements, encodeElements } from './tensor.js';

test('an integer is read to the digit, however it is written', () => {
  const cases: readonly (readonly [string, number | bigint])[] = [
    ['9007199254740993.0', 9007199254740993n],
    ['9.007199254740993e15', 9007199254740993n],
    ['-9007199254740993000e-3', -9007199254740993n],
    ['12345678901234e5', 1234567890123400000n],
    ['18446744073709551615.0', 18446744073709551615n],
    ['1e3', 1_000],
    ['0e999', 0],
    ['1.0000000000000000000000', 1],
    ['1e22', 1e22],
    ['0.1', 0.1],
  ];
  for (const [text, expected] of cases) assert.equal(exactNumber(text), expected, text);
});

test('no text is read as an integer that it is not', () => {
  const digits = fc.stringMatching(/^[1-9]\d{0,22}$/);
  fc.assert(
    fc.property(digits, fc.nat(24), fc.integer({ min: -6, max: 6 }), (mantissa, at, exponent) => {
      const point = Math.min(at, mantissa.length);
      const decimals = mantissa.slice(point);
      const text = `${mantissa.slice(0, point) || '0'}${decimals && `.${decimals}`}e${exponent}`;
      const value = exactNumber(text);
      const scale = exponent - decimals.length;
      const isInteger = scale >= 0 || /^0*$/.test(mantissa.slice(Math.max(0, mantissa.length + scale)));
      const exact = scale >= 0 ? BigInt(mantissa) * 10n ** BigInt(scale) : undefined;
      if (typeof value === 'bigint' && exact !== undefined) assert.equal(value, exact);
      if (!isInteger) assert.ok(value instanceof RoundedNumber || !Number.isInteger(value), text);
      assert.equal(Number(value), Number(text));
    }),
    { numRuns: 5_000 },
  );
});

test('an integer type refuses a number that is none, quoting it, and floats take it', () => {
  const texts = ['9007199254740993.5', '0.99999999999999999999', '1.00000000000000000001', '1e-400'];
  for (const text of texts) {
    const number = exactNumber(text);
    const message = new RegExp(`^x, element 0: expected INT64, got ${text.replace('.', '\\.')}$`);
    assert.throws(() => encodeElements('INT64', [number], 'x'), { code: 'DATATYPE_MISMATCH', message });
    assert.deepEqual(decodeElements('FP64', encodeElements('FP64', [number], 'x')), [Number(text)]);
  }
});
