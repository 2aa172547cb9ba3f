/**
 * The arithmetic of the jobs `reduce`, `scan`, `matvec` and `matmul` on one block of a larger array. The order of
 * operations is fixed, so that results have the same bits on every node.
 */

/** `operation` is one JSON text; `other` is the carry of a scan (empty for none) or the right-hand side of a product. */
export const inputs = [
  { name: 'operation', datatype: 'BYTES', shape: [1] },
  { name: 'values', datatype: 'FP64' },
  { name: 'other', datatype: 'FP64' },
];
export const outputs = [{ name: 'values', datatype: 'FP64' }];

export function run({ operation, values, other }) {
  const { name, ...options } = JSON.parse(operation.data[0]);
  const block = BLOCKS[name];
  if (!block) throw new Error(`operation: expected ${Object.keys(BLOCKS).join(', ')}, got '${name}'`);
  return { values: block(values, other, options) };
}

const BLOCKS = {
  /** Folds the elements to one: `x0 ∘ x1 ∘ …` from the left, or from the right if `backward`. */
  reduce: (values, _other, options) => {
    const { total } = fold(values, undefined, options);
    return { shape: values.shape.slice(1), data: total };
  },
  /** Writes each element combined with those before it and the carry, or with those after it if `backward`. */
  scan: (values, carry, options) => {
    const start = carry.data.length === 0 ? undefined : carry.data;
    const { scanned } = fold(values, start, { ...options, isScan: true });
    return { shape: values.shape, data: scanned };
  },
  multiply,
};

const COMBINE = {
  sum: (a, b) => a + b,
  product: (a, b) => a * b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
};
const IDENTITY = { sum: 0, product: 1, max: -Infinity, min: Infinity };

function fold(values, start, options) {
  return options.with === 'matrix'
    ? foldMatrices(values, start, options)
    : foldNumbers(values, start, options);
}

function foldNumbers({ data }, start, { with: name, backward = false, exclusive = false, isScan = false }) {
  const combine = COMBINE[name];
  if (!combine) throw new Error(`with: expected ${Object.keys(COMBINE).join(', ')} or matrix, got '${name}'`);
  const scanned = new Float64Array(isScan ? data.length : 0);
  let total = start?.[0];
  for (let step = 0; step < data.length; step++) {
    const index = backward ? data.length - 1 - step : step;
    const before = total;
    if (total === undefined) total = data[index];
    else total = backward ? combine(data[index], total) : combine(total, data[index]);
    if (isScan) scanned[index] = exclusive ? (before ?? IDENTITY[name]) : total;
  }
  return { total: new Float64Array([total ?? IDENTITY[name]]).slice(0, 1), scanned };
}

function foldMatrices({ shape, data }, start, { backward = false, exclusive = false, isScan = false }) {
  const [count, size, columns] = shape;
  if (shape.length !== 3 || size !== columns)
    throw new Error(`values: expected shape [n,k,k] for a chain of matrices, got [${shape}]`);
  const scanned = new Float64Array(isScan ? data.length : 0);
  const cells = size * size;
  let total = start;
  for (let step = 0; step < count; step++) {
    const index = backward ? count - 1 - step : step;
    const matrix = data.subarray(index * cells, (index + 1) * cells);
    const before = total;
    if (total === undefined) total = matrix.slice();
    else total = backward ? product(matrix, total, size) : product(total, matrix, size);
    if (isScan) scanned.set(exclusive ? (before ?? identity(size)) : total, index * cells);
  }
  return { total: total ?? identity(size), scanned };
}

/** Multiplies two square matrices. */
function product(a, b, size) {
  return multiply({ shape: [size, size], data: a }, { shape: [size, size], data: b }).data;
}

function identity(size) {
  const matrix = new Float64Array(size * size);
  for (let index = 0; index < size; index++) matrix[index * size + index] = 1;
  return matrix;
}

/** Multiplies a block of rows `[r,k]` by a vector `[k]` or a matrix `[k,n]`; each sum runs over k in order. */
function multiply({ shape, data }, { shape: otherShape, data: right }) {
  const [rows, inner] = shape;
  const [length, width = 1] = otherShape;
  if (shape.length !== 2 || length !== inner)
    throw new Error(`other: expected ${inner} rows for values of shape [${shape}], got [${otherShape}]`);
  const result = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let index = 0; index < inner; index++) {
      const factor = data[row * inner + index];
      for (let column = 0; column < width; column++)
        result[row * width + column] += factor * right[index * width + column];
    }
  }
  return { shape: otherShape.length === 1 ? [rows] : [rows, width], data: result };
}
