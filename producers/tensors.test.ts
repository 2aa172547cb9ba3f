import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datatype } from '../schemas/datatypes.js';
import type { ErrorCode } from '../schemas/errors.js';
import { decodeElements } from '../schemas/tensor.js';
import { fromTensor, toTensor, type InputTensor, type OutputTensor } from './tensors.js';

test('typed arrays keep type, shape and elements in a round trip', () => {
  const arrays: [Datatype, OutputTensor['data']][] = [
    ['FP32', new Float32Array([1.5, -2])],
    ['FP64', new Float64Array([0.1, NaN])],
    ['INT8', new Int8Array([-128, 127])],
    ['UINT8', new Uint8Array([0, 255])],
    ['INT16', new Int16Array([-32_768, 1])],
    ['UINT16', new Uint16Array([65_535, 1])],
    ['INT32', new Int32Array([-(2 ** 31), 1])],
    ['UINT32', new Uint32Array([2 ** 32 - 1, 1])],
    ['INT64', new BigInt64Array([-(2n ** 63n), 1n])],
    ['UINT64', new BigUint64Array([2n ** 64n - 1n, 1n])],
  ];
  for (const [datatype, data] of arrays) {
    assert.deepEqual(fromTensor(toTensor('x', { data, shape: [2, 1] })), {
      datatype,
      shape: [2, 1],
      data,
    });
  }
});

test('an array with an offset into its buffer is sent from that offset', () => {
  const data = new Float32Array([9, 1, 2]).subarray(1);
  assert.deepEqual(decodeElements('FP32', toTensor('x', { data, shape: [2] }).data), [1, 2]);
});

test('the type and shape of lists are inferred from their elements and nesting', () => {
  const cases: [InputTensor, Datatype, number[], unknown[]][] = [
    [[[1, 2, 3]], 'FP32', [1, 3], [1, 2, 3]],
    [[1n, -(2n ** 60n)], 'INT64', [2], [1n, -(2n ** 60n)]],
    [[[true], [false]], 'BOOL', [2, 1], [true, false]],
    [['a', 'ö'], 'BYTES', [2], ['a', 'ö']],
    [{ data: [[1], [2]], datatype: 'INT32' }, 'INT32', [2, 1], [1, 2]],
    [{ data: [1, 2], shape: [1, 2], datatype: 'UINT8' }, 'UINT8', [1, 2], [1, 2]],
  ];
  for (const [input, datatype, shape, elements] of cases) {
    const tensor = toTensor('x', input);
    assert.deepEqual(
      [tensor.datatype, tensor.shape, decodeElements(datatype, tensor.data)],
      [datatype, shape, elements],
    );
  }
});

test('a typed array declared with another data type is converted, not reinterpreted', () => {
  const tensor = toTensor('x', { data: new Float64Array([1, -2]), shape: [2], datatype: 'INT64' });
  assert.deepEqual(decodeElements('INT64', tensor.data), [1n, -2n]);
  const message = "input 'x', element 0: expected INT32, got 1.5";
  assert.throws(() => toTensor('x', { data: new Float32Array([1.5]), shape: [1], datatype: 'INT32' }), {
    code: 'DATATYPE_MISMATCH',
    message,
  });
});

test('FP16 is passed as bits and BOOL as bytes', () => {
  const halves = { data: new Uint16Array([0x3c00]), shape: [1], datatype: 'FP16' } as const;
  assert.deepEqual(fromTensor(toTensor('x', halves)), halves);
  const truths = toTensor('x', { data: new Uint8Array([1, 0]), shape: [2], datatype: 'BOOL' });
  assert.deepEqual(fromTensor(truths).data, [true, false]);
});

test('an invalid tensor is refused, naming the input', () => {
  const cases: [InputTensor, ErrorCode, RegExp][] = [
    [
      { data: new Float32Array(3), shape: [2, 2] },
      'SHAPE_MISMATCH',
      /^input 'x': expected 4 elements for shape \[2,2\], got 3$/,
    ],
    [{ data: [1, 2, 3], shape: [2] }, 'SHAPE_MISMATCH', /expected 2 elements/],
    [[[1, 2], [3]], 'SHAPE_MISMATCH', /lists of equal length at each level/],
    [[[1, 2], [3], [4, 5, 6]], 'SHAPE_MISMATCH', /lists of equal length at each level/],
    [[[1], 2], 'SHAPE_MISMATCH', /lists of equal length at each level/],
    [[], 'DATATYPE_MISMATCH', /got undefined/],
    [[1, 'a'], 'DATATYPE_MISMATCH', /element 1: expected FP32, got 'a'/],
    [
      { data: new Float32Array(1) } as unknown as InputTensor,
      'INVALID_REQUEST',
      /expected lists, or data with a shape/,
    ],
  ];
  for (const [input, code, message] of cases) assert.throws(() => toTensor('x', input), { code, message });
});

test('an output owns its memory, aligned, wherever its record was', () => {
  const record = Buffer.concat([Buffer.from([9]), Buffer.from(new Float32Array([1, 2]).buffer)]);
  const { data } = fromTensor({ name: 'y', datatype: 'FP32', shape: [2], data: record.subarray(1) });
  record.fill(0);
  assert.deepEqual(data, new Float32Array([1, 2]));
});

test('an output of an unknown type is refused', () => {
  const tensor = { name: 'y', datatype: 'BF16', shape: [1], data: Buffer.alloc(2) };
  assert.throws(() => fromTensor(tensor), { code: 'DATATYPE_MISMATCH', message: /BF16/ });
});

test('bytes that are not all UTF-8 are returned as separate Buffers, others as strings, and both can be sent', () => {
  const bytes = [Buffer.from([0x00, 0xff, 0x80]), Buffer.from('a')];
  const tensor = toTensor('x', [bytes]);
  assert.deepEqual([tensor.datatype, tensor.shape], ['BYTES', [1, 2]]);
  const output = fromTensor(tensor);
  tensor.data.fill(0);
  assert.deepEqual(output, { datatype: 'BYTES', shape: [1, 2], data: bytes });
  assert.deepEqual(fromTensor(toTensor('x', [Buffer.from('ä')])).data, ['ä']);
});
