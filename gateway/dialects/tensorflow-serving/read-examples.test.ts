import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleInputs } from '../../tensorflow/example-inputs.js';
import { decodeElements } from '../../../schemas/tensor.js';
import type { SignatureStatus, Tensor } from '../../../schemas/generated.js';
import { readExamples, readExamplesBody } from './read-examples.js';

const RECORD_BYTES = 1_000_000;

async function inputsOf(text: string, datatype: string): Promise<Tensor[]> {
  const body = (await readExamplesBody(Buffer.from(text), RECORD_BYTES)) as Record<string, unknown>;
  const signature = { inputs: [{ name: 'x', datatype, shape: [-1, -1] }] } as unknown as SignatureStatus;
  return exampleInputs(await readExamples(body), signature, RECORD_BYTES);
}

test('the text of a number decides its feature, and integers keep their digits', async () => {
  const decoded = async (values: string, datatype: 'INT64' | 'FP32'): Promise<unknown> => {
    const [tensor] = await inputsOf(`{"examples":[{"x":[${values}]}]}`, datatype);
    return tensor && decodeElements(datatype, tensor.data);
  };
  assert.deepEqual(await decoded('1, 9007199254740993', 'INT64'), [1n, 9007199254740993n]);
  assert.deepEqual(await decoded('9007199254740993.0, 1e3', 'INT64'), [9007199254740993n, 1_000n]);
  assert.deepEqual(await decoded('1.5, -2.0', 'FP32'), [1.5, -2]);
  await assert.rejects(decoded('1, 1.0', 'FP32'), /Unexpected element type in feature: x/);
  await assert.rejects(decoded('9007199254740993.5', 'INT64'), /expected INT64, got 9007199254740993.5/);
});

test('many examples are read in slices that let others run', async () => {
  const row = Array.from({ length: 100 }, (_, index) => `${index}.5`).join(',');
  const examples = Array.from({ length: 2_000 }, () => `{"x":[${row}]}`).join(',');
  let turns = 0;
  const count = setInterval(() => turns++, 0);
  const [tensor] = await inputsOf(`{"examples":[${examples}]}`, 'FP32');
  clearInterval(count);
  assert.deepEqual(tensor?.shape, [2_000, 100]);
  assert.ok(turns > 5, `${turns} turns`);
});

test('examples that no request can hold are refused as too large', async () => {
  const refused = { code: 'REQUEST_TOO_LARGE' };
  const numbers = Array.from({ length: 300_000 }, () => '1.5').join(',');
  await assert.rejects(inputsOf(`{"examples":[{"x":[${numbers}]}]}`, 'FP32'), refused);
  await assert.rejects(async () => inputsOf(' '.repeat(RECORD_BYTES * 8 + 1), 'FP32'), {
    ...refused,
    message: 'body: expected at most 8000000 bytes of examples, got 8000001',
  });
});
