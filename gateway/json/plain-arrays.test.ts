import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNumberArray } from './number-array.js';
import { plainArrays } from './plain-arrays.js';
import { readJson } from './read-json.js';

test('lists of numbers are plain but for the data, however large the text', async () => {
  const padding = ' '.repeat(20_000);
  const text = `${padding}{"inputs":[{"shape":[1,2],"data":[3,4],"n":[9007199254740993]}],"outputs":[]}`;
  const body = plainArrays(await readJson(Buffer.from(text)), 'data') as {
    inputs: { shape: unknown; data: unknown; n: unknown }[];
    outputs: unknown;
  };
  const [input] = body.inputs;
  assert.deepEqual(input?.shape, [1, 2]);
  assert.deepEqual(input?.n, [9007199254740993n]);
  assert.ok(isNumberArray(input?.data));
  assert.deepEqual(body.outputs, []);
});
