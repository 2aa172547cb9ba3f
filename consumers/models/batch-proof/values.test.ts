import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datatype } from '../../../schemas/datatypes.js';
import { decodeElements } from '../../../schemas/tensor.js';
import { Random } from './random.js';
import { drawRow, valueKinds } from './values.js';

for (const datatype of ['FP32', 'INT64', 'BOOL', 'BYTES'] as const satisfies readonly Datatype[])
  test(`a large row of ${datatype} repeats the drawn elements`, () => {
    const signature = { inputs: [{ name: 'x', datatype, shape: [-1] }], outputs: [] };
    const [kind] = valueKinds(signature);
    assert.ok(kind);
    const elements = 10_001;
    const row = { datatype, scale: 1, rowNumber: 0, input: 0, nonFinite: undefined, elements } as const;
    const drawn = decodeElements(datatype, drawRow(row, kind, new Random(1)));
    assert.equal(drawn.length, elements);
    assert.deepEqual(drawn.slice(4_096), drawn.slice(0, -4_096));
    assert.ok(new Set(drawn).size > 1);
  });
