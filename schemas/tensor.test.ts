import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ELEMENT_BYTES, type Datatype } from './datatypes.js';
import { decodeElements, elementEnd, encodeElements, splitBytes, type Element } from './tensor.js';

const bits = (count: number): fc.Arbitrary<number> => fc.nat(2 ** count - 1);
const signedBits = (count: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (count - 1)), max: 2 ** (count - 1) - 1 });

const ELEMENTS: Record<Exclude<Datatype, 'FP16'>, fc.Arbitrary<Element>> = {
  BOOL: fc.boolean(),
  UINT8: bits(8),
  UINT16: bits(16),
  UINT32: bits(32),
  UINT64: fc.bigInt(0n, 2n ** 64n - 1n),
  INT8: signedBits(8),
  INT16: signedBits(16),
  INT32: signedBits(32),
  INT64: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  FP32: fc.float(),
  FP64: fc.double(),
  BYTES: fc.string({ unit: 'grapheme' }),
};

for (const [datatype, element] of Object.entries(ELEMENTS) as [
  Exclude<Datatype, 'FP16'>,
  fc.Arbitrary<Element>,
][]) {
  test(`elements of ${datatype} survive a round trip`, () => {
    fc.assert(
      fc.property(fc.array(element, { maxLength: 50 }), (elements) => {
        const data = encodeElements(datatype, elements, 'x');
        assert.deepEqual(decodeElements(datatype, data), elements);
        if (datatype !== 'BYTES')
          assert.equal(data.length, elements.length * (ELEMENT_BYTES[datatype] ?? NaN));
      }),
    );
  });
}

test('elements are little-endian, and BYTES are preceded by their length', () => {
  assert.equal(encodeElements('INT32', [1, -2], 'x').toString('hex'), '01000000feffffff');
  assert.equal(encodeElements('BYTES', ['ä', ''], 'x').toString('hex'), '02000000c3a400000000');
  assert.equal(encodeElements('BOOL', [true, false, 1], 'x').toString('hex'), '010001');
});

test('integers at the limits of a type are accepted; beyond them they are refused, naming the element', () => {
  const edges: [Datatype, bigint, bigint][] = [
    ['BOOL', 0n, 1n],
    ['UINT8', 0n, 255n],
    ['INT8', -128n, 127n],
    ['UINT16', 0n, 65_535n],
    ['INT16', -32_768n, 32_767n],
    ['UINT32', 0n, 2n ** 32n - 1n],
    ['INT32', -(2n ** 31n), 2n ** 31n - 1n],
    ['UINT64', 0n, 2n ** 64n - 1n],
    ['INT64', -(2n ** 63n), 2n ** 63n - 1n],
  ];
  for (const [datatype, least, most] of edges) {
    encodeElements(datatype, [least, most], 'x');
    for (const outside of [least - 1n, most + 1n]) {
      const message = `input 'x', element 1: expected ${datatype}, got ${outside}`;
      assert.throws(() => encodeElements(datatype, [0, outside], "input 'x'"), {
        code: 'DATATYPE_MISMATCH',
        message,
      });
    }
  }
});

test('a value that is not an element of the type is refused', () => {
  const wrong: [Datatype, unknown][] = [
    ['INT32', 1.5],
    ['INT32', NaN],
    ['INT32', '1'],
    ['INT32', true],
    ['FP32', 'one'],
    ['FP32', null],
    ['BYTES', 5],
    ['BOOL', 'true'],
  ];
  for (const [datatype, element] of wrong) {
    assert.throws(
      () => encodeElements(datatype, [element], 'x'),
      { code: 'DATATYPE_MISMATCH' },
      `${datatype} ${String(element)}`,
    );
  }
});

test('FP16, which JSON cannot represent, is refused with a suggestion', () => {
  assert.throws(() => encodeElements('FP16', [1], 'x'), {
    code: 'DATATYPE_MISMATCH',
    message: /send such tensors in Avro/,
  });
  assert.throws(() => decodeElements('FP16', Buffer.alloc(2)), { code: 'DATATYPE_MISMATCH' });
});

test('BYTES elements that extend past the end are refused, naming their start', () => {
  const cases = ['01', '0400000061', 'ffffffff61'].map((hex) => Buffer.from(`00000000${hex}`, 'hex'));
  for (const data of cases) {
    assert.throws(() => splitBytes(data), {
      code: 'INVALID_REQUEST',
      message: /the element at byte 4 extends past the end/,
    });
    assert.throws(() => elementEnd(data, 4), { code: 'INVALID_REQUEST' });
  }
});

test('split BYTES are views', () => {
  const data = encodeElements('BYTES', ['a', 'bc'], 'x');
  assert.deepEqual(
    splitBytes(data).map((element) => element.buffer === data.buffer),
    [true, true],
  );
});

test('bytes that are not UTF-8 are refused as text, naming tensor and element, rather than altered', () => {
  const data = encodeElements('BYTES', ['ä', Buffer.from([0xff])], 'x');
  assert.throws(() => decodeElements('BYTES', data, "output 'y'"), {
    code: 'DATATYPE_MISMATCH',
    message: "output 'y', element 1: expected UTF-8 text, got other bytes",
  });
});

test('a finite number never becomes infinite, and infinite ones are accepted only where allowed', () => {
  const beyond = (datatype: Datatype, element: unknown, finite: boolean, got: string): void =>
    assert.throws(() => encodeElements(datatype, [0, element], "input 'x'", { finite }), {
      code: 'DATATYPE_MISMATCH',
      message: `input 'x', element 1: expected ${datatype}, got ${got}`,
    });
  for (const finite of [true, false]) {
    for (const element of [1e39, -1e39, 3.5e38])
      beyond('FP32', element, finite, `${element}, which is out of range`);
    beyond('FP32', 10n ** 39n, finite, '1e+39, which is out of range');
    for (const datatype of ['FP32', 'FP64'] as const)
      beyond(datatype, 10n ** 400n, finite, 'a number out of range');
    encodeElements('FP32', [3.4028234663852886e38, -3.4028234663852886e38, NaN], 'x', { finite });
  }
  for (const datatype of ['FP32', 'FP64'] as const) {
    beyond(datatype, Infinity, true, 'a number out of range');
    beyond(datatype, -Infinity, true, 'a number out of range');
    encodeElements(datatype, [Infinity, -Infinity], 'x');
  }
});
