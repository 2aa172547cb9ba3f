/** Models and tensors for the engine's tests. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { elementCount, type Datatype } from '../schemas/datatypes.js';
import { decodeElements, encodeElements } from '../schemas/tensor.js';
import type { Engine, EngineTensor, LoadedModel, ModelSource } from '../consumers/engine/engine.js';
import { detectFormat } from '../consumers/engine/formats.js';

const ROOT = new URL('../../', import.meta.url);

/** Expected values written by the training scripts of the digits models. */
interface Expectations {
  readonly samples: readonly {
    readonly pixels: readonly number[];
    readonly probabilities: readonly number[];
  }[];
}

export function fixture(model: string, version = '1'): string {
  return fileURLToPath(new URL(`integration-tests/fixtures/models/${model}/${version}`, ROOT));
}

export const DIGITS = fileURLToPath(new URL('examples/models/digits/1', ROOT));
export const DIGITS_ONNX = fileURLToPath(new URL('examples/onnx-models/digits/1', ROOT));
export const DIGITS_EXPECTED = fileURLToPath(new URL('examples/digits/expected.json', ROOT));

export async function sourceOf(directory: string): Promise<ModelSource> {
  const [version = '', model = ''] = directory.split('/').reverse();
  return { model, version, directory, format: await detectFormat(directory) };
}

export async function loadFixture(engine: Engine, model: string, version = '1'): Promise<LoadedModel> {
  return loadEverywhere(engine, await sourceOf(fixture(model, version)));
}

/** Loads a model into all threads of the engine. */
export async function loadEverywhere(engine: Engine, source: ModelSource): Promise<LoadedModel> {
  const loaded = await engine.load(source);
  await loaded.replicateToAllThreads();
  return loaded;
}

export function tensor(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  elements: readonly unknown[],
): EngineTensor {
  if (elementCount(shape) !== elements.length)
    throw new Error(
      `expected ${elementCount(shape)} elements for ${shape.join('x')}, got ${elements.length}`,
    );
  return { name, datatype, shape, data: new Uint8Array(encodeElements(datatype, elements, name)) };
}

/** Returns the elements of an output; none if it is missing. */
export function elementsOf(output: EngineTensor | undefined): unknown[] {
  return output ? decodeElements(output.datatype, Buffer.from(output.data)) : [];
}

/** Returns the largest difference between a digits model's answers and the values expected by its training script. */
export async function worstDeviation(model: LoadedModel, expectedFile: string): Promise<number> {
  const { samples } = JSON.parse(readFileSync(expectedFile, 'utf8')) as Expectations;
  const pixels = samples.flatMap((sample) => sample.pixels);
  const { outputs } = await model.run([tensor('pixels', 'FP32', [samples.length, 64], pixels)]);
  const answered = new Float32Array(outputs[0]?.data.buffer ?? new ArrayBuffer(0));
  const expected = samples.flatMap((sample) => sample.probabilities);
  return Math.max(
    ...expected.map((probability, index) => Math.abs(probability - (answered[index] ?? Infinity))),
  );
}
