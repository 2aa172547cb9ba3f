import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleData, nest, parseInput, writeNested } from './tensors.js';

const pixels = { name: 'pixels', datatype: 'FP32', shape: [-1, 3], labels: [] };

test('an example has one row, and parses as what it is', () => {
  for (const [datatype, shape] of [
    ['FP32', [-1, 3]],
    ['BYTES', [-1]],
    ['BOOL', [2, 2]],
    ['INT64', []],
    ['UINT8', [-1, -1, -1, -1]],
  ] as const) {
    const tensor = { name: 'x', datatype, shape, labels: [] };
    const example = exampleData(tensor);
    assert.deepEqual(parseInput(tensor, writeNested(nest(example))), example);
  }
});

test('flat and nested JSON give the same input', () => {
  const nested = parseInput(pixels, '[[1, 2, 3], [4, 5, 6]]');
  assert.deepEqual(nested, { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] });
  assert.deepEqual(parseInput(pixels, '[1, 2, 3, 4, 5, 6]'), nested);
});

test('a wrong shape is refused with the expected and the actual one', () => {
  const message = (text: string): string => {
    try {
      parseInput(pixels, text);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(message('[[1, 2]]'), "input 'pixels': expected shape [-1,3], got [1,2]");
  assert.equal(message('[1, 2]'), "input 'pixels': expected shape [-1,3], got [2]");
  assert.equal(
    message('[[1, 2, 3], [4]]'),
    "input 'pixels': expected rows of equal length, got rows that differ",
  );
  assert.match(message('[1,'), /^input 'pixels': expected JSON: /);
});
