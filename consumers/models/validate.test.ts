import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../schemas/errors.js';
import type { InferenceRequest, Tensor } from '../../schemas/generated.js';
import { encodeElements } from '../../schemas/tensor.js';
import { exampleRequest } from '../../testing/requests.js';
import type { ModelSignature } from '../engine/engine.js';
import { validateRequest } from './validate.js';

const SIGNATURE: ModelSignature = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'b', datatype: 'BYTES', shape: [-1, -1] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};

const a = (changes: Partial<Tensor> = {}): Tensor => ({
  name: 'a',
  datatype: 'FP32',
  shape: [2, 2],
  data: Buffer.alloc(16),
  ...changes,
});
const b = (changes: Partial<Tensor> = {}): Tensor => ({
  name: 'b',
  datatype: 'BYTES',
  shape: [2, 1],
  data: encodeElements('BYTES', ['x', 'yz'], 'b'),
  ...changes,
});
const request = (inputs: Tensor[], outputs: string[] = []): InferenceRequest =>
  exampleRequest({ inputs, outputs });

test('a valid request is arranged in signature order, with its rows and its lane', () => {
  const inputs = [a(), b()];
  assert.deepEqual(validateRequest(request([...inputs].reverse(), ['y']), SIGNATURE), {
    inputs,
    rows: 2,
    laneKey: '1.1=1;',
    mustBeAlone: false,
  });
});

test('requests with different trailing shapes have different lanes, with different rows the same', () => {
  const laneOf = (inputs: Tensor[]): string => validateRequest(request(inputs), SIGNATURE).laneKey;
  const wider = b({ shape: [2, 2], data: encodeElements('BYTES', ['1', '2', '3', '4'], 'b') });
  const oneRow = [
    a({ shape: [1, 2], data: Buffer.alloc(8) }),
    b({ shape: [1, 1], data: encodeElements('BYTES', ['x'], 'b') }),
  ];
  assert.notEqual(laneOf([a(), wider]), laneOf([a(), b()]));
  assert.equal(laneOf(oneRow), laneOf([a(), b()]));
});

test('an invalid request is rejected with a specific code and the input, the expected and the actual value', () => {
  const cases: [Tensor[], ErrorCode, string | RegExp][] = [
    [[a()], 'INVALID_REQUEST', "input 'b': expected BYTES [-1,-1], got nothing"],
    [[a(), b(), b()], 'INVALID_REQUEST', "input 'b': expected once, got twice"],
    [[a(), b({ name: 'c' })], 'INVALID_REQUEST', "input 'c': expected one of 'a', 'b'"],
    [[a({ datatype: 'FP64' }), b()], 'DATATYPE_MISMATCH', "input 'a': expected FP32, got FP64"],
    [[a({ datatype: 'nonsense' }), b()], 'DATATYPE_MISMATCH', "input 'a': expected FP32, got nonsense"],
    [[a({ shape: [2, 3] }), b()], 'SHAPE_MISMATCH', "input 'a': expected shape [-1,2], got [2,3]"],
    [[a({ shape: [4] }), b()], 'SHAPE_MISMATCH', "input 'a': expected shape [-1,2], got [4]"],
    [[a({ shape: [-1, 2] }), b()], 'SHAPE_MISMATCH', "input 'a': expected shape [-1,2], got [-1,2]"],
    [[a({ shape: [1.5, 2] }), b()], 'SHAPE_MISMATCH', /got \[1.5,2\]/],
    [
      [a({ data: Buffer.alloc(15) }), b()],
      'SHAPE_MISMATCH',
      "input 'a': expected 16 bytes for shape [2,2], got 15",
    ],
    [[a({ shape: [2 ** 53, 2] }), b()], 'SHAPE_MISMATCH', /got \[9007199254740992,2\]/],
    [
      [a(), b({ shape: [2, 2] })],
      'SHAPE_MISMATCH',
      "input 'b': expected 4 elements for shape [2,2], got 2 elements",
    ],
    [
      [a(), b({ data: Buffer.alloc(400) })],
      'SHAPE_MISMATCH',
      "input 'b': expected 2 elements for shape [2,1], got 3 elements",
    ],
    [
      [a(), b({ data: Buffer.alloc(9, 0xff) })],
      'INVALID_REQUEST',
      /the element at byte 0 extends past the end/,
    ],
  ];
  for (const [inputs, code, message] of cases) {
    assert.throws(() => validateRequest(request(inputs), SIGNATURE), { code, message }, String(message));
  }
});

test('vast numbers of rows without elements are rejected', () => {
  const empty = b({ shape: [2 ** 50, 0], data: Buffer.alloc(0) });
  assert.throws(() => validateRequest(request([a(), empty]), SIGNATURE), { code: 'SHAPE_MISMATCH' });
});

test('an unknown output is rejected', () => {
  const message = "output 'z': expected one of 'y'";
  assert.throws(() => validateRequest(request([a(), b()], ['y', 'z']), SIGNATURE), {
    code: 'INVALID_REQUEST',
    message,
  });
});

test('a request whose inputs differ in rows is accepted, but never shares a batch', () => {
  for (const rows of [0, 1, 3]) {
    const other = a({ shape: [rows, 2], data: Buffer.alloc(8 * rows) });
    assert.equal(validateRequest(request([other, b()]), SIGNATURE).mustBeAlone, true);
  }
  assert.equal(validateRequest(request([a(), b()]), SIGNATURE).mustBeAlone, false);
});

test('dimensions of 0 are accepted, and such requests share a batch only with each other', () => {
  const rows = (count: number): Tensor[] => [
    a({ shape: [count, 2], data: Buffer.alloc(8 * count) }),
    b({ shape: [count, 0], data: Buffer.alloc(0) }),
  ];
  assert.deepEqual(validateRequest(request(rows(2)), SIGNATURE).rows, 2);
  const empty = validateRequest(request(rows(0)), SIGNATURE);
  assert.equal(empty.rows, 0);
  assert.notEqual(empty.laneKey, validateRequest(request(rows(2)), SIGNATURE).laneKey);
});

test('an input without declared dimensions accepts any', () => {
  const signature: ModelSignature = { inputs: [{ name: 'a', datatype: 'FP32', shape: [] }], outputs: [] };
  for (const shape of [[], [1], [2, 2], [0, 3]]) {
    const data = Buffer.alloc(4 * shape.reduce((product, size) => product * size, 1));
    assert.deepEqual(validateRequest(request([a({ shape, data })]), signature).inputs[0]?.shape, shape);
  }
});

test('a model without inputs accepts a request without inputs', () => {
  assert.equal(validateRequest(request([]), { inputs: [], outputs: [] }).rows, 1);
});
