import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { createEngine, detectFormat, type Engine, type LoadedModel } from '../../consumers/engine/index.js';
import type { InferenceNode } from '../../consumers/node/node.js';
import { elementCount, type Datatype } from '../../schemas/datatypes.js';
import { decodeElements, encodeElements } from '../../schemas/tensor.js';
import type { PartituraClient } from '../../producers/index.js';
import { readNodes } from '../../cluster/node-directory.js';
import { eventually } from '../support/eventually.js';
import { Harness, type ModelName } from '../support/harness.js';

const FIXTURES = new URL('../../../integration-tests/fixtures/models/', import.meta.url);
const REQUESTS = 40;
/** Batches of other sizes may use other kernels, which round the last bits differently. */
const TOLERANCE = 1e-5;

interface Input {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: readonly (number | bigint | string)[];
}

type Inputs = Readonly<Record<string, Input>>;

const floats = (shape: readonly number[], valueOf: (index: number) => number): Input => ({
  datatype: 'FP32',
  shape,
  data: Array.from({ length: elementCount(shape) }, (_, index) => Math.fround(valueOf(index))),
});

/** Creates values that differ between requests in magnitude and sign. */
const values = (shape: readonly number[], request: number): Input =>
  floats(shape, (index) => Math.sin(7 * request + index) * 10 ** ((request % 5) - 2));

/** Creates one to three texts, with more words for higher numbers. */
const texts = (request: number): Input => ({
  datatype: 'BYTES',
  shape: [rowsOf(request)],
  data: Array.from({ length: rowsOf(request) }, (_, row) => `text${' of words'.repeat((request + row) % 4)}`),
});

const rowsOf = (request: number): number => 1 + (request % 3);

/** Models, with a request for each number, whose rows depend on each other or on their number. */
const MIXING: Readonly<Partial<Record<ModelName, (request: number) => Inputs>>> = {
  'softmax-over-rows-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'cumsum-over-time-onnx': (request) => ({
    x: values([request === 7 ? 3_000 : rowsOf(request), 2], request),
  }),
  'softmax-over-rows': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'cumsum-over-time': (request) => ({ x: values([request === 7 ? 3_000 : rowsOf(request), 2], request) }),
  words: (request) => ({ text: texts(request) }),
  'image-by-text-onnx': (request) => ({
    image: values([rowsOf(request), 3], request),
    text: values([rowsOf(request), 3], request + 100),
  }),
  'rows-counted-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'quantized-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'spectrogram-onnx': (request) => ({ x: values([4 + rowsOf(request)], request) }),
  'row-indices-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'found-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'clip-by-all-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
  'side-input-onnx': (request) => ({
    x: values([rowsOf(request), 3], request),
    side: values([rowsOf(request), 3], request + 100),
  }),
  'from-batches-of-five-onnx': (request) => ({ x: values([rowsOf(request), 3], request) }),
};

/** Inputs that the runtime accepts but a batch cannot hold. */
const UNUSUAL: Readonly<Partial<Record<ModelName, readonly Inputs[]>>> = {
  'image-by-text-onnx': [{ image: values([1, 3], 1), text: values([4, 3], 2) }],
  'matmul-open-onnx': [{ a: values([2, 3], 1), b: values([3, 2], 2) }],
  'unknown-rank': [{ x: values([], 1) }, { x: values([3], 1) }, { x: values([2, 1, 2], 1) }],
  'unknown-rank-onnx': [
    { x: values([], 1) },
    { x: values([3], 1) },
    { x: values([2, 1, 2], 1) },
    { x: values([2, 0], 1) },
  ],
  'no-inputs-onnx': [{}],
  'softmax-over-rows-onnx': [{ x: values([0, 3], 1) }],
  'empty-cache-onnx': [
    { x: values([2, 1, 2], 1), past: values([2, 0, 2], 2) },
    { x: values([0, 1, 2], 1), past: values([0, 3, 2], 2) },
  ],
  'digits-onnx': [{ pixels: values([0, 64], 1) }],
};

/** Models that share batches. */
const BATCHED: Readonly<Partial<Record<ModelName, (request: number) => Inputs>>> = {
  'digits-onnx': (request) => ({ pixels: values([request === 5 ? 2_500 : rowsOf(request), 64], request) }),
  'embedding-onnx': (request) => ({
    ids: {
      datatype: 'INT64',
      shape: [2, 2],
      data: [0, 1, 2, 3].map((index) => BigInt((7 * request + index) % 50)),
    },
  }),
  lengths: (request) => ({ text: texts(request) }),
  'empty-cache-onnx': (request) => ({
    x: values([1, 1, 2], request),
    past: values([1, 3, 2], request + 100),
  }),
  // In some requests one row of an input applies to all rows of the other.
  'product-onnx': (request) => ({
    x: values([request % 4 === 3 ? 1 : request === 5 ? 2_500 : rowsOf(request), 2], request),
    factor: values([request % 4 === 1 ? 1 : rowsOf(request), 2], request + 100),
  }),
};

const MODELS = [...new Set([MIXING, UNUSUAL, BATCHED].flatMap((cases) => Object.keys(cases)))] as ModelName[];

describe('callers are not mixed up', () => {
  let harness: Harness;
  let engine: Engine;
  let node: InferenceNode;
  let clients: PartituraClient[];
  before(async () => {
    harness = await Harness.start(MODELS);
    engine = await createEngine({ threads: 1 });
    node = await harness.node();
    clients = [await harness.client(), await harness.client()];
  });
  after(async () => {
    await engine.close();
    await harness.close();
  });

  for (const [model, inputsOf] of Object.entries({ ...MIXING, ...BATCHED }))
    test(`two callers of ${model} get the same answers as when their requests run alone`, async () => {
      const requests = Array.from({ length: REQUESTS }, (_, request) => inputsOf(request));
      await assertAnswers(model, requests);
    });

  for (const [model, requests] of Object.entries(UNUSUAL))
    test(`${model} answers all inputs that its runtime accepts: no rows, other ranks, different first dimensions`, async () => {
      await assertAnswers(model, requests);
    });

  test('the node status lists which models share batches, and why the others do not', () => {
    const batching = new Map(node.status().models.map(({ model, batching }) => [model, batching]));
    for (const model of Object.keys(BATCHED))
      assert.equal(batching.get(model)?.batchable, true, `${model}: ${batching.get(model)?.reason}`);
    for (const model of Object.keys(MIXING)) {
      assert.equal(batching.get(model)?.batchable, false, model);
      assert.match(batching.get(model)?.reason ?? '', /^output '\w+' |^dynamic quantization /, model);
    }
  });

  async function assertAnswers(model: string, requests: readonly Inputs[]): Promise<void> {
    const loaded = await loadFixture(model);
    const answers = await Promise.all(
      requests.map(
        async (inputs, index) =>
          (await clients[index % clients.length]?.predict(model, { ...inputs }))?.outputs,
      ),
    );
    for (const [index, inputs] of requests.entries()) {
      for (const { name, datatype, shape, data } of await outputsAlone(loaded, inputs)) {
        const answer = answers[index]?.[name];
        assert.deepEqual(answer?.shape, shape, `${model}, request ${index}`);
        const expected = decodeElements(datatype, data);
        assertClose([...answer.data], expected, `${model}, request ${index}`);
      }
    }
    await loaded.unload();
  }

  async function loadFixture(model: string): Promise<LoadedModel> {
    const directory = fileURLToPath(new URL(`${model}/1`, FIXTURES));
    return engine.load({ model, version: '1', directory, format: await detectFormat(directory) });
  }
});

interface Output {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

async function outputsAlone(model: LoadedModel, inputs: Inputs): Promise<Output[]> {
  const tensors = Object.entries(inputs).map(([name, { datatype, shape, data }]) => ({
    name,
    datatype,
    shape,
    data: new Uint8Array(encodeElements(datatype, data, name)),
  }));
  const { outputs } = await model.run(tensors);
  return outputs.map((output) => ({ ...output, data: Buffer.from(output.data) }));
}

function assertClose(answer: readonly unknown[], expected: readonly unknown[], message: string): void {
  assert.equal(answer.length, expected.length, message);
  const size = Math.max(
    0,
    ...expected.map((value) => (typeof value === 'string' ? 0 : Math.abs(Number(value)))),
  );
  expected.forEach((value, index) => {
    if (typeof value === 'string') return assert.equal(answer[index], value, message);
    const difference = Math.abs(Number(value) - Number(answer[index]));
    assert.ok(
      difference <= TOLERANCE * size,
      `${message}, element ${index}: expected ${String(value)}, got ${String(answer[index])}`,
    );
  });
}

test('a model whose batches turn out to differ is no longer batched, with a log message and a metric', async () => {
  const harness = await Harness.start(['rare-value-onnx']);
  try {
    const log: string[] = [];
    const overrides = { batchCheckMs: 1, maxBatchDelayMs: 5, logLevel: 'error' };
    const node = await harness.nodeProcess(overrides, (line) => void log.push(line));
    const clients = [await harness.client(), await harness.client()] as const;
    const ask = async (client: PartituraClient, value: number): Promise<unknown[]> => {
      const { outputs } = await client.predict('rare-value-onnx', { x: [[value, value, value]] });
      return [...(outputs['y']?.data ?? [])];
    };
    const askTogether = async (): Promise<unknown[][]> =>
      Promise.all([...clients, ...clients].map((client, index) => ask(client, index === 0 ? 2e6 : index)));
    const batching = async (): Promise<{ batchable: boolean; reason: string } | undefined> => {
      const [status] = await readNodes(harness.kafka, harness.config(), Date.now());
      return status?.models[0]?.batching ?? undefined;
    };
    assert.equal((await batching())?.batchable, true, 'random inputs do not reveal the difference');
    await eventually('batching is off', async () => {
      await askTogether();
      return (await batching())?.batchable === false;
    });
    assert.match((await batching())?.reason ?? '', /live check found a difference: output 'y'/);
    assert.ok(
      log.some((line) =>
        line.includes('batched answers differ from unbatched answers; turning off batching'),
      ),
    );
    const metrics = await (await fetch(new URL('/metrics', node.ready.health))).text();
    assert.match(metrics, /partitura_batch_checks_total\{model="rare-value-onnx",result="different"\} [1-9]/);
    for (let round = 0; round < 20; round++)
      assert.deepEqual(await askTogether(), [
        [0, 0, 0],
        [1, 1, 1],
        [2, 2, 2],
        [3, 3, 3],
      ]);
  } finally {
    await harness.close();
  }
});
