import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeElements } from '../../schemas/tensor.js';
import { joinRows, rowOffsets, sliceRows, type RowTensor } from './rows.js';

const rowsAndColumns = fc.record({
  rows: fc.integer({ min: 1, max: 8 }),
  columns: fc.integer({ min: 1, max: 4 }),
});

const tensors = rowsAndColumns.chain(({ rows, columns }) => {
  const size = { minLength: rows * columns, maxLength: rows * columns };
  const shape = [rows, columns];
  const numbers = fc.array(fc.integer(), size).map((elements): RowTensor => {
    return { name: 'x', datatype: 'INT32', shape, data: encodeElements('INT32', elements, 'x') };
  });
  const texts = fc.array(fc.string({ maxLength: 5 }), size).map((elements): RowTensor => {
    return { name: 'x', datatype: 'BYTES', shape, data: encodeElements('BYTES', elements, 'x') };
  });
  return fc.oneof(numbers, texts);
});

test('tensors survive cutting and joining, fixed size or BYTES', () => {
  fc.assert(
    fc.property(tensors, fc.integer({ min: 1, max: 8 }), (tensor, step) => {
      const offsets = rowOffsets(tensor);
      const rows = tensor.shape[0] ?? 0;
      const parts: RowTensor[] = [];
      for (let start = 0; start < rows; start += step) {
        parts.push(sliceRows(tensor, offsets, start, Math.min(step, rows - start)));
      }
      assert.deepEqual(joinRows(parts), tensor);
    }),
  );
});

test('rows are views, and all rows together are the tensor itself', () => {
  const data = encodeElements('BYTES', ['a', 'bcd', '', 'e'], 'x');
  const tensor: RowTensor = { name: 'x', datatype: 'BYTES', shape: [2, 2], data };
  const row = sliceRows(tensor, rowOffsets(tensor), 1, 1);
  assert.deepEqual(row, { ...tensor, shape: [1, 2], data: encodeElements('BYTES', ['', 'e'], 'x') });
  assert.equal(row.data.buffer, data.buffer);
  assert.equal(sliceRows(tensor, rowOffsets(tensor), 0, 2), tensor);
});

test('joining no parts is an error', () => {
  assert.throws(() => joinRows([]), RangeError);
});
