import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TensorSpec } from '../../engine/engine.js';
import { SizeSearch, type RowShapes } from './sizes.js';

const input = (shape: readonly number[]): TensorSpec => ({ name: 'x', datatype: 'FP32', shape });

function searching(...shapes: readonly (readonly number[])[]): SizeSearch {
  return new SizeSearch({ inputs: shapes.map(input) }, 2 ** 24);
}

function all(search: SizeSearch): RowShapes[] {
  const found: RowShapes[] = [];
  for (let shapes = search.next(); shapes; shapes = search.next()) found.push(shapes);
  return found;
}

test('inputs with a fixed size are tried once, even if large', () => {
  assert.deepEqual(all(searching([-1, 3, 1_024, 1_024])), [[[3, 1_024, 1_024]]]);
  assert.deepEqual(all(searching([-1])), [[[]]]);
});

test('sizes beyond the byte limit are not tried', () => {
  assert.deepEqual(all(searching([-1, 3, 2_160, 3_840])), []);
  assert.ok(all(searching([-1, -1, -1])).every(([shape = []]) => (shape[0] ?? 0) <= 1_024));
});

test('open dimensions of all inputs have the same size', () => {
  const [first, second] = all(searching([-1, -1], [-1, 2, -1]));
  assert.deepEqual(
    [first, second],
    [
      [[4], [2, 4]],
      [[1], [2, 1]],
    ],
  );
});

test('open image dimensions have common sizes, channels first or last', () => {
  const open = all(searching([-1, -1, -1, -1]));
  assert.deepEqual(open.slice(0, 3), [[[4, 4, 4]], [[3, 224, 224]], [[224, 224, 3]]]);
  assert.deepEqual(all(searching([-1, -1, -1, 3]))[1], [[224, 224, 3]]);
  const gray = all(searching([-1, 1, -1, -1], [-1, -1]));
  assert.deepEqual(gray[1], [[1, 224, 224], [4]]);
  assert.ok(gray.every(([shape]) => shape?.[0] === 1));
});

test('sizes named in an error message come next, for each dimension and then for all', () => {
  const search = searching([-1, -1, -1]);
  const first = search.next() ?? [];
  search.observe(first, 'W: {80,2} K: 4');
  const next = Array.from({ length: 6 }, () => search.next()?.[0]);
  assert.deepEqual(next, [
    [80, 4],
    [4, 80],
    [80, 80],
    [2, 4],
    [4, 2],
    [2, 2],
  ]);
});

test('sizes are found one dimension at a time', () => {
  const search = searching([-1, -1, -1]);
  let tries = 0;
  for (let shapes = search.next(); shapes; shapes = search.next()) {
    const [rows = 0, columns = 0] = shapes[0] ?? [];
    tries++;
    if (rows === 80 && columns === 3_000) break;
    search.observe(shapes, rows === 80 ? `expected 3000, got ${columns}` : `expected 80, got ${rows}`);
  }
  assert.ok(tries < 8, String(tries));
});

test('the search stops after a limited number of sizes', () => {
  const search = searching([-1, -1, -1]);
  let tries = 0;
  for (let shapes = search.next(); shapes; shapes = search.next())
    search.observe(shapes, `error ${100 + tries++}`);
  assert.equal(tries, 40);
});
