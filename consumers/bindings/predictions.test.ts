import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PredictionField } from '../../cluster/bindings/definition.js';
import type { Datatype } from '../../schemas/datatypes.js';
import { encodeElements } from '../../schemas/tensor.js';
import type { TensorSpec } from '../engine/engine.js';
import { predictionsOf, type OutputTensor } from './predictions.js';

const spec = (name: string, datatype: Datatype, shape: readonly number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
const tensor = (
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  elements: unknown[],
): OutputTensor => ({
  name,
  datatype,
  shape,
  data: encodeElements(datatype, elements, name),
});
const field = (more: Partial<PredictionField> = {}): PredictionField => ({ take: 'all', ...more });

const PROBABILITIES = spec('p', 'FP32', [-1, 3]);
const SIGNATURE = { inputs: [], outputs: [PROBABILITIES] };
const ANSWER = [tensor('p', 'FP32', [1, 3], [0.25, 0.5, 0.125])];

test('a field is an output, an element, the largest element, its index or its label', () => {
  const fields = predictionsOf(
    {
      all: field(),
      one: field({ take: 1 }),
      max: field({ take: 'max', output: 'p' }),
      place: field({ take: 'argmax' }),
      label: field({ take: 'argmax', labels: ['a', 'b', 'c'] }),
    },
    SIGNATURE,
  );
  assert.deepEqual(
    fields.map((field) => [field.name, field.type, field.depth, field.read(ANSWER)]),
    [
      ['all', 'float', 1, [0.25, 0.5, 0.125]],
      ['one', 'float', 0, 0.5],
      ['max', 'float', 0, 0.5],
      ['place', 'int', 0, 1],
      ['label', 'string', 0, 'b'],
    ],
  );
});

test('by default every output has its own name, and single elements are not lists', () => {
  const outputs = [
    spec('score', 'FP64', [-1, 1]),
    spec('flag', 'BOOL', [-1]),
    spec('text', 'BYTES', [-1, 1]),
    spec('grid', 'INT64', [-1, 2, 2]),
  ];
  const answer = [
    tensor('score', 'FP64', [1, 1], [0.1]),
    tensor('flag', 'BOOL', [1], [true]),
    tensor('text', 'BYTES', [1, 1], ['é']),
    tensor('grid', 'INT64', [1, 2, 2], [1n, 2n, 3n, 4n]),
  ];
  assert.deepEqual(
    predictionsOf(undefined, { inputs: [], outputs }).map((field) => [
      field.name,
      field.type,
      field.depth,
      field.read(answer),
    ]),
    [
      ['score', 'double', 0, 0.1],
      ['flag', 'boolean', 0, true],
      ['text', 'string', 0, 'é'],
      [
        'grid',
        'long',
        2,
        [
          [1n, 2n],
          [3n, 4n],
        ],
      ],
    ],
  );
});

test('the first of equal elements is the largest, and NaN is skipped', () => {
  const [place] = predictionsOf({ place: field({ take: 'argmax' }) }, SIGNATURE);
  const placeOf = (...values: number[]): unknown => place?.read([tensor('p', 'FP32', [1, 3], values)]);
  assert.equal(placeOf(2, 2, 1), 0);
  assert.equal(placeOf(NaN, 1, 3), 2);
  assert.equal(placeOf(1, NaN, 0), 0);
  assert.equal(placeOf(-Infinity, -3, -2), 2);
});

test('a field that the model cannot provide is refused with its name', () => {
  const refused = (fields: Record<string, PredictionField>, outputs = [PROBABILITIES]): string => {
    try {
      predictionsOf(fields, { inputs: [], outputs });
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };
  assert.equal(
    refused({ a: field({ output: 'q' }) }),
    "output.fields.a: expected output: one of 'p', got 'q'",
  );
  assert.match(
    refused({ a: field() }, [PROBABILITIES, spec('q', 'FP32', [-1])]),
    /one of 'p', 'q', got none/,
  );
  assert.match(refused({ a: field({ take: 3 }) }), /take: an element of \[3\], got 3/);
  assert.match(refused({ a: field({ take: 'argmax', labels: ['x'] }) }), /expected 3 labels, got 1/);
  assert.match(
    refused({ a: field({ take: 'max' }) }, [spec('t', 'BYTES', [-1, 2])]),
    /expected numbers for take: max/,
  );
  assert.match(refused({ a: field() }, [spec('h', 'FP16', [-1])]), /'h' of FP16/);
  assert.throws(() => predictionsOf(undefined, { inputs: [], outputs: [spec('a/b:0', 'FP32', [-1])] }), {
    code: 'INVALID_REQUEST',
    message: /expected a name of letters, digits and _, got 'a\/b:0'/,
  });
});
