import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeContract } from '../../testing/engine-contract.js';
import type { Engine, EngineTensor, LoadedModel } from './engine.js';
import {
  DIGITS_EXPECTED,
  DIGITS_ONNX,
  elementsOf,
  fixture,
  loadFixture,
  sourceOf,
  tensor,
  worstDeviation,
} from '../../testing/engine-models.js';
import { createEngine } from './threaded-engine.js';

/** Expected answers, recorded with ONNX Runtime in Python and stored with the model. */
interface IrisAnswers {
  readonly rows: readonly (readonly number[])[];
  readonly classes: readonly string[];
  readonly labels: readonly (string | number)[];
  readonly probabilities: readonly (readonly number[])[];
}

describeContract('ONNX models', '-onnx');

const RELOADS = 300;
const IDLE_MS = 1_000;
const MEBIBYTE = 2 ** 20;

function everyType(): EngineTensor[] {
  const fp16 = new Uint8Array(Uint16Array.of(0x3c00, 0x8000, 0x7c00, 0x0001).buffer);
  return [
    tensor('bool', 'BOOL', [2, 2], [true, false, false, true]),
    tensor('bytes', 'BYTES', [2, 2], ['größer', '', '\u{1f3bc}', 'x'.repeat(5000)]),
    { name: 'fp16', datatype: 'FP16', shape: [2, 2], data: fp16 },
    tensor('fp32', 'FP32', [2, 2], [-0, -Infinity, NaN, 1.401298464324817e-45]),
    tensor('fp64', 'FP64', [2, 2], [-0, Number.MAX_VALUE, Number.MIN_VALUE, 0.1]),
    tensor('int8', 'INT8', [2, 2], [-128, 127, -1, 0]),
    tensor('int16', 'INT16', [2, 2], [-32_768, 32_767, -1, 0]),
    tensor('int32', 'INT32', [2, 2], [-(2 ** 31), 2 ** 31 - 1, -1, 0]),
    tensor('int64', 'INT64', [2, 2], [-(2n ** 63n), 2n ** 63n - 1n, -5n, 2n ** 53n + 1n]),
    tensor('uint8', 'UINT8', [2, 2], [0, 255, 128, 1]),
    tensor('uint16', 'UINT16', [2, 2], [0, 65_535, 128, 1]),
    tensor('uint32', 'UINT32', [2, 2], [0, 2 ** 32 - 1, 128, 1]),
    tensor('uint64', 'UINT64', [2, 2], [0n, 2n ** 64n - 1n, 2n ** 53n + 1n, 1n]),
  ];
}

const withStrings = (data: readonly unknown[]): EngineTensor[] =>
  everyType().map((input) => (input.name === 'bytes' ? tensor('bytes', 'BYTES', [2, 2], data) : input));

describe('the engine on ONNX Runtime', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 2 });
  });
  after(() => engine.close());

  test('values of every data type round-trip bit by bit', async () => {
    const model = await loadFixture(engine, 'types-onnx');
    const sent = everyType().map((input) => ({ ...input, name: `${input.name}_echo` }));
    const { outputs } = await model.run(everyType().toReversed());
    assert.deepEqual(outputs, sent);
  });

  test("the signature is read in the model's order, with named dimensions as -1", async () => {
    const model = await loadFixture(engine, 'types-onnx');
    assert.deepEqual(
      model.signature.inputs.map(({ datatype }) => datatype),
      everyType().map(({ datatype }) => datatype),
    );
    assert.deepEqual(model.signature.outputs[3], {
      name: 'fp32_echo',
      datatype: 'FP32',
      shape: [-1, 2],
      dimensionNames: ['batch', ''],
    });
  });

  test('the digits model matches the SavedModel, with embedded and with external weights', async () => {
    for (const directory of [DIGITS_ONNX, fixture('digits-onnx')]) {
      const model = await engine.load(await sourceOf(directory));
      assert.deepEqual(model.signature.inputs, [
        { name: 'pixels', datatype: 'FP32', shape: [-1, 64], dimensionNames: ['batch', ''] },
      ]);
      assert.deepEqual(model.signature.outputs, [
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 10], dimensionNames: ['batch', ''] },
      ]);
      assert.ok((await worstDeviation(model, DIGITS_EXPECTED)) < 1e-5, directory);
    }
  });

  test('string constants of the model survive repeated runs', async () => {
    const model = await loadFixture(engine, 'labels-onnx');
    for (let time = 0; time < 5; time++) {
      const { outputs } = await model.run([tensor('scores', 'FP32', [2, 2], [1, 0, 0, 1])]);
      assert.deepEqual(elementsOf(outputs[0]), ['the first of the two classes', 'größer als die erste']);
    }
  });

  test('bytes that ONNX strings cannot represent are rejected rather than altered', async () => {
    const model = await loadFixture(engine, 'types-onnx');
    for (const bytes of [Buffer.from([0xff]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('a\0b')]) {
      await assert.rejects(model.run(withStrings(['fine', 'x', bytes, 'y'])), {
        code: 'INVALID_REQUEST',
        message:
          /^model 'types-onnx' version 1: input 'bytes', element 2: expected UTF-8 text without zero bytes/,
      });
    }
  });

  test('a number of strings that does not match the shape is rejected', async () => {
    const model = await loadFixture(engine, 'types-onnx');
    for (const count of [3, 5]) {
      const strings = tensor('bytes', 'BYTES', [count], Array<string>(count).fill('text'));
      const mismatched = everyType().map((input) =>
        input.name === 'bytes' ? { ...strings, shape: [2, 2] } : input,
      );
      await assert.rejects(model.run(mismatched), { code: 'INVALID_REQUEST', message: /shape \[2,2\], got/ });
    }
  });

  test('values that do not match their shape never reach the model', async () => {
    const model = await loadFixture(engine, 'scale-onnx');
    const short = { ...tensor('x', 'FP32', [1, 3], [1, 2, 3]), shape: [1, 4] };
    await assert.rejects(model.run([short]), { code: 'MODEL_FAILED', message: /expected 16, got 12/ });
  });

  test('an output that is not a tensor is rejected with its name and a remedy', async () => {
    await assert.rejects(loadFixture(engine, 'sequence-onnx'), {
      code: 'MODEL_FAILED',
      message:
        "model 'sequence-onnx' version 1: output 'list' is not a tensor but a sequence, map or optional value; export the model with tensor outputs only",
    });
  });

  test('a ZipMap is replaced with its probabilities in a model with only ai.onnx.ml operators', async () => {
    const model = await loadFixture(engine, 'zipmap-onnx');
    assert.deepEqual(model.signature.outputs, [
      {
        name: 'probabilities',
        datatype: 'FP32',
        shape: [-1, 2],
        dimensionNames: ['N', ''],
        labels: ['0', '1'],
      },
    ]);
    const { outputs } = await model.run([tensor('scores', 'FP32', [2, 2], [0.25, 0.75, 1, 0])]);
    assert.deepEqual(elementsOf(outputs[0]), [0.25, 0.75, 1, 0]);
  });

  for (const [name, library] of [
    ['iris-sklearn-onnx', 'scikit-learn'],
    ['iris-lightgbm-onnx', 'LightGBM'],
  ] as const)
    test(`a classifier converted from ${library} with default options returns probabilities and labels`, async () => {
      const model = await loadFixture(engine, name);
      const expected = JSON.parse(
        await readFile(join(fixture(name), '../expected.json'), 'utf8'),
      ) as IrisAnswers;
      const { rows } = expected;
      const [input] = model.signature.inputs;
      const [, probabilities] = model.signature.outputs;
      assert.deepEqual(probabilities?.labels, expected.classes);
      const { outputs } = await model.run([tensor(input?.name ?? '', 'FP32', [rows.length, 4], rows.flat())]);
      assert.deepEqual(elementsOf(outputs[0]).map(String), expected.labels.map(String));
      assert.deepEqual(outputs[1]?.shape, [rows.length, expected.classes.length]);
      elementsOf(outputs[1]).forEach((value, index) =>
        assert.ok(Math.abs(Number(value) - (expected.probabilities.flat()[index] ?? NaN)) < 1e-6),
      );
    });

  test('an unsupported type is rejected with the input and a remedy', async () => {
    await assert.rejects(loadFixture(engine, 'bfloat16-onnx'), {
      code: 'MODEL_FAILED',
      message: /^model 'bfloat16-onnx' version 1: input 'x' is BF16.*add a Cast/,
    });
  });

  test('an output with a data-dependent shape is served', async () => {
    const model = await loadFixture(engine, 'positives-onnx');
    const { outputs } = await model.run([tensor('x', 'FP32', [4], [-1, 2, 0, 3])]);
    assert.deepEqual([outputs[0]?.shape, elementsOf(outputs[0])], [[2], [2, 3]]);
  });

  test('a rejected batch fails with a one-sentence reason, and the next one is served', async () => {
    const model = await loadFixture(engine, 'picky-onnx');
    await assert.rejects(model.run([tensor('x', 'INT64', [2], [1, 7])]), {
      code: 'MODEL_FAILED',
      retryable: false,
      message:
        "model 'picky-onnx' version 1: indices element out of data bounds, idx=7 must be within the inclusive range [-4,3]",
    });
    const { outputs } = await model.run([tensor('x', 'INT64', [2], [3, 1])]);
    assert.deepEqual(elementsOf(outputs[0]), [9, 1]);
  });

  test('an invalid or truncated model file is rejected by name, without its path', async () => {
    const digits = await readFile(join(DIGITS_ONNX, 'model.onnx'));
    for (const bytes of [Buffer.from('no model'), Buffer.alloc(0), digits.subarray(0, digits.length / 2)]) {
      const directory = await mkdtemp(join(tmpdir(), 'partitura-onnx-'));
      await writeFile(join(directory, 'model.onnx'), bytes);
      await assert.rejects(engine.load({ model: 'm', version: '1', directory, format: 'onnx' }), {
        code: 'MODEL_FAILED',
        message: /^model 'm' version 1: model\.onnx cannot be loaded: (?!.*\/)[A-Z].*\.$/,
      });
      await rm(directory, { recursive: true });
    }
    assert.ok(await loadFixture(engine, 'scale-onnx'));
  });

  test("a model gets the requested cores, or a thread's share by default", async () => {
    const source = await sourceOf(fixture('scale-onnx'));
    assert.equal((await engine.load({ ...source, cores: 1 })).cores, 1);
    assert.ok(((await engine.load(source)).cores ?? 0) >= 1);
  });
});

test('repeated loading and unloading leaks no memory', async () => {
  const engine = await createEngine();
  try {
    const source = await sourceOf(DIGITS_ONNX);
    const reload = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time++) await (await engine.load(source)).unload();
    };
    await reload(50);
    const before = process.memoryUsage.rss();
    await reload(RELOADS);
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < 16 * MEBIBYTE, `${RELOADS} reloads leaked ${grown} bytes`);
  } finally {
    await engine.close();
  }
});

test('an idle engine uses no CPU time: its threads sleep instead of spinning', async () => {
  const engine = await createEngine();
  try {
    const model = await engine.load({ ...(await sourceOf(DIGITS_ONNX)), cores: 4 });
    let spent = 0;
    for (let time = 0; time < 5; time++) {
      await runDigits(model, 256);
      const started = process.cpuUsage();
      await sleep(IDLE_MS / 5);
      const { user, system } = process.cpuUsage(started);
      spent += user + system;
    }
    assert.ok(spent < (IDLE_MS * 1_000) / 10, `${spent} µs of CPU time in ${IDLE_MS} ms of idling`);
  } finally {
    await engine.close();
  }
});

async function runDigits(model: LoadedModel, rows: number): Promise<void> {
  await model.run([tensor('pixels', 'FP32', [rows, 64], Array<number>(rows * 64).fill(1))]);
}

test(
  'TensorFlow is not loaded for ONNX models',
  { skip: process.platform === 'linux' ? false : 'requires /proc to list loaded libraries' },
  async () => {
    const engine = await createEngine();
    try {
      const model = await engine.load(await sourceOf(DIGITS_ONNX));
      assert.equal(model.backend, 'onnxruntime');
      const loaded = await readFile('/proc/self/maps', 'utf8');
      assert.match(loaded, /libonnxruntime/);
      assert.doesNotMatch(loaded, /libtensorflow/);
    } finally {
      await engine.close();
    }
  },
);
