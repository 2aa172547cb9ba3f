import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeValues } from './encode-values.js';

test('values become little-endian bytes of their data type', () => {
  const cases: readonly (readonly [Parameters<typeof encodeValues>[1], readonly unknown[], string])[] = [
    ['BOOL', [true, false], '0100'],
    ['INT8', [-1, 127], 'ff7f'],
    ['UINT16', [258], '0201'],
    ['INT64', ['-2', '9007199254740993'], 'feffffffffffffff0100000000002000'],
    ['UINT64', ['18446744073709551615'], 'ffffffffffffffff'],
    ['FP16', [0x3c00], '003c'],
    ['FP32', [Infinity, -0], '0000807f00000080'],
    ['FP64', [1], '000000000000f03f'],
    ['BYTES', [Buffer.from([0xff])], '01000000ff'],
  ];
  for (const [datatype, values, hex] of cases)
    assert.equal(encodeValues(values, datatype, 'x').toString('hex'), hex, datatype);
});

test('a value out of range is named', () => {
  assert.throws(() => encodeValues([0, 300], 'UINT8', "input 'x'"), {
    code: 'DATATYPE_MISMATCH',
    message: "input 'x', element 1: expected UINT8, got 300",
  });
});
