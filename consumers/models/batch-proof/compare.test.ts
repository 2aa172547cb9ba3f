import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datatype } from '../../../schemas/datatypes.js';
import { encodeElements } from '../../../schemas/tensor.js';
import { ComparedOutput } from './compare.js';
import { fromHalf, toHalf } from './half.js';

function output(datatype: Datatype, rows: unknown[][]): ComparedOutput {
  const data = encodeElements(datatype, rows.flat(), 'y');
  return new ComparedOutput({ name: 'y', datatype, shape: [rows.length, rows[0]?.length ?? 0], data });
}

const matches = (datatype: Datatype, alone: unknown[], other: unknown[], magnitude = 0): boolean =>
  output(datatype, [alone]).matches(0, output(datatype, [other]), 0, magnitude);

test('integers, booleans and strings must be equal', () => {
  assert.ok(matches('INT64', [2n ** 60n], [2n ** 60n]));
  assert.ok(!matches('INT64', [2n ** 60n], [2n ** 60n + 1n]));
  assert.ok(!matches('BOOL', [true], [false]));
  assert.ok(matches('BYTES', ['größer', ''], ['größer', '']));
  assert.ok(!matches('BYTES', ['a', ''], ['', 'a']));
});

test('floats may differ by rounding relative to the whole row', () => {
  const noise = 0.123_456_7;
  assert.ok(matches('FP32', [1000.1, noise], [1000.1, noise + 0.01]));
  assert.ok(!matches('FP32', [1.1, noise], [1.1, noise + 0.01]));
  assert.ok(!matches('FP64', [noise], [noise * (1 + 1e-8)]));
});

test('if an output is a small difference of large numbers, rounding is relative to the outputs of that scale', () => {
  assert.ok(!matches('FP32', [1e-5], [2e-5]));
  assert.ok(matches('FP32', [1e-5], [2e-5], 1));
});

test('NaN equals NaN, and infinities must match', () => {
  assert.ok(matches('FP32', [NaN, Infinity, 0.1], [NaN, Infinity, 0.1]));
  assert.ok(!matches('FP32', [NaN, 0.1], [0.1, 0.1]));
  assert.ok(!matches('FP32', [Infinity, 0.1], [3e38, 0.1]));
  assert.ok(!matches('FP32', [Infinity], [-Infinity]));
});

test('values computed in a lower precision than their type are compared with its tolerance', () => {
  const half = fromHalf(toHalf(0.3));
  assert.ok(matches('FP32', [half], [half * 1.001]));
  assert.ok(!matches('FP32', [3], [3.003]), 'integers say nothing about the precision');
  assert.ok(matches('FP64', [Math.fround(0.3)], [0.3]));
});

const isNear = (datatype: Datatype, alone: unknown[], other: unknown[], magnitude = 0): boolean =>
  output(datatype, [alone]).isNear(0, output(datatype, [other]), 0, magnitude);

test('amplified rounding is at most 1e-2: absolute for values from 0 to 1, otherwise relative to the output', () => {
  assert.ok(isNear('FP32', [0.001, 0.5], [0.009, 0.5]));
  assert.ok(!isNear('FP32', [0.001, 0.5], [0.02, 0.5]));
  assert.ok(isNear('FP32', [-1000, 1], [-1009, 5]));
  assert.ok(!isNear('FP32', [-1000, 1], [-1011, 1]));
  assert.ok(!isNear('INT64', [1000n], [1001n]));
  assert.ok(!isNear('FP32', [NaN], [1]));
});

test('amplified rounding does not change the largest element, unless two are about equal', () => {
  assert.ok(!isNear('FP32', [0.515, 0.5], [0.507, 0.509]));
  assert.ok(isNear('FP32', [0.505, 0.5], [0.502, 0.503]));
});

test('outputs that differ in one bit are distinct', () => {
  assert.equal(output('FP32', [[0], [-0], [0], [1]]).distinctRows, 3);
});

test('a number is rounded to the nearest 16-bit float, which round-trips', () => {
  for (const [value, bits] of [
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2.5, 0xc100],
    [65_504, 0x7bff],
    [2 ** -24, 1],
    [2 ** -14, 0x400],
    [Infinity, 0x7c00],
  ] as const) {
    assert.equal(toHalf(value), bits, String(value));
    assert.ok(Object.is(fromHalf(bits), value), String(value));
  }
  assert.ok(Number.isNaN(fromHalf(toHalf(NaN))));
  assert.equal(fromHalf(toHalf(1 / 3)), 0.333_251_953_125);
  assert.equal(fromHalf(toHalf(1.9999)), 2);
});
