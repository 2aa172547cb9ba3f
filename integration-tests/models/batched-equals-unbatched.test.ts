import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { RowTensor } from '../../consumers/batching/rows.js';
import { createEngine, detectFormat, type Engine, type LoadedModel } from '../../consumers/engine/index.js';
import { ELEMENT_BYTES, type Datatype } from '../../schemas/datatypes.js';
import type { Tensor } from '../../schemas/generated.js';
import { runBatched } from '../support/run-batched.js';
import { floats, valuesOf } from '../support/raw-client.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURES = 'integration-tests/fixtures/models';
const FORMATS = [
  { format: 'SavedModel', suffix: '', digits: 'examples/models/digits/1' },
  { format: 'ONNX', suffix: '-onnx', digits: 'examples/onnx-models/digits/1' },
];
const RUNS = 60;
/** Batches of other sizes may use other kernels, which round the last bits differently. */
const TOLERANCE = 1e-6;
const LIMITS = fc.record({
  batchable: fc.constant(true),
  maxBatchRows: fc.integer({ min: 1, max: 70 }),
  parallelism: fc.integer({ min: 1, max: 3 }),
});

let engine: Engine;
before(async () => {
  engine = await createEngine({ threads: 2, intraOpThreads: 1 });
});
after(() => engine.close());

for (const { format, suffix, digits } of FORMATS) {
  test(`${format}: row sums of any width are the same in any batch as alone`, async () => {
    const model = await load(`${FIXTURES}/sum${suffix}/1`, 'sum');
    const request = fc.record({
      rows: fc.integer({ min: 1, max: 90 }),
      width: fc.integer({ min: 1, max: 5 }),
      seed: fc.integer({ min: -1000, max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 40 }),
        LIMITS,
        async (requests, limits) => {
          const asked = requests.map(({ rows, width, seed }) => ({
            rows,
            values: Array.from({ length: rows * width }, (_, index) => seed + index),
            width,
          }));
          const answers = await runBatched(
            model,
            limits,
            asked.map(({ rows, width, values }) => [floats('x', [rows, width], values)]),
          );
          asked.forEach(({ rows, width, values }, index) => {
            const expected = Array.from({ length: rows }, (_, row) =>
              values.slice(row * width, (row + 1) * width).reduce((a, b) => a + b),
            );
            assert.deepEqual(valuesOf(asTensor(answers[index]?.[0])), expected);
          });
        },
      ),
      { numRuns: RUNS },
    );
  });

  test(`${format}: digits have the same probabilities alone and in any batch`, async () => {
    const model = await load(digits, 'digits');
    const pixels = fc.array(fc.integer({ min: 0, max: 16 }), { minLength: 64, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(fc.array(pixels, { minLength: 1, maxLength: 30 }), LIMITS, async (images, limits) => {
        const requests = images.map((image) => [floats('pixels', [1, 64], image)]);
        const batched = await runBatched(model, limits, requests);
        for (const [index, request] of requests.entries()) {
          const [alone] = await runBatched(model, { maxBatchRows: 1, parallelism: 1, batchable: true }, [
            request,
          ]);
          const together = valuesOf(asTensor(batched[index]?.[0]));
          valuesOf(asTensor(alone?.[0])).forEach((value, position) =>
            assert.ok(Math.abs(value - (together[position] ?? NaN)) < TOLERANCE),
          );
        }
      }),
      { numRuns: RUNS },
    );
  });

  test(`${format}: strings, booleans and 64-bit integers keep their rows bit for bit in any batch`, async () => {
    const model = await load(`${FIXTURES}/types${suffix}/1`, 'types');
    const rows = fc.array(
      fc.record({
        text: fc.string({ maxLength: 20 }),
        number: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        flag: fc.boolean(),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 10 }), LIMITS, async (requests, limits) => {
        const asked = requests.map((rows) => typesRequest(model, rows));
        const answers = await runBatched(model, limits, asked);
        asked.forEach((inputs, index) => {
          for (const { name, data, shape } of inputs) {
            const echo = answers[index]?.find((output) => output.name === `${name}_echo`);
            assert.deepEqual(echo?.shape, shape);
            assert.ok(echo?.data.equals(data), name);
          }
        });
      }),
      { numRuns: RUNS },
    );
  });
}

async function load(folder: string, model: string): Promise<LoadedModel> {
  const directory = join(ROOT, folder);
  return engine.load({ model, version: '1', directory, format: await detectFormat(directory) });
}

interface TypesRow {
  readonly text: string;
  readonly number: bigint;
  readonly flag: boolean;
}

/** Creates a request in all types of the model, with both elements derived from the row. */
function typesRequest({ signature }: LoadedModel, rows: readonly TypesRow[]): Tensor[] {
  return signature.inputs.map(({ name, datatype }) => ({
    name,
    datatype,
    shape: [rows.length, 2],
    data: Buffer.concat(rows.flatMap((row) => [elementBytes(datatype, row), elementBytes(datatype, row)])),
  }));
}

function elementBytes(datatype: Datatype, { text, number, flag }: TypesRow): Buffer {
  if (datatype === 'BOOL') return Buffer.from([Number(flag)]);
  if (datatype === 'BYTES') return Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)]);
  // Any bits are a valid double, but a NaN may come back as a different NaN.
  if (datatype === 'FP32') return Buffer.from(Float32Array.of(Number(number)).buffer);
  if (datatype === 'FP64') return Buffer.from(Float64Array.of(Number(number)).buffer);
  return Buffer.from(BigInt64Array.of(number).buffer).subarray(0, ELEMENT_BYTES[datatype]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function asTensor(output: RowTensor | undefined): Tensor | undefined {
  return output && { ...output, shape: [...output.shape] };
}
