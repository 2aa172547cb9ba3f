/**
 * Trains a model that classifies three cultivars of wine by 13 measurements, and prints the scaling for `binding.yaml`.
 *
 *     node dist/examples/wine/train.js
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as TensorFlow from '@tensorflow/tfjs-node';
import { importTensorFlow } from '../tensorflow.js';

const SEED = 20_261_124;
const EPOCHS = 60;
const CULTIVARS = 3;
const HELD_BACK_EVERY = 5;
/** Coprime with the number of rows, which are sorted by cultivar, so that a stride visits each once. */
const STRIDE = 61;

const tf = importTensorFlow();
// The compiled file is in dist/, which mirrors the sources.
const folder = join(import.meta.dirname, '../../../examples/wine');

interface Wines {
  readonly names: readonly string[];
  /** The raw measurements. */
  readonly rows: readonly (readonly number[])[];
  /** Cultivar, numbered from 0. */
  readonly cultivars: readonly number[];
}

function loadWines(): Wines {
  const [header = '', ...lines] = readFileSync(join(folder, 'wine.csv'), 'utf8').trim().split('\n');
  const table = lines.map((line) => line.split(',').map(Number));
  return {
    names: header.split(',').slice(1),
    rows: table.map(([, ...measurements]) => measurements),
    cultivars: table.map(([cultivar = 0]) => cultivar - 1),
  };
}

interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

function scaleOf(values: readonly number[]): Scale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean: Number(mean.toPrecision(4)), deviation: Number(Math.sqrt(variance).toPrecision(4)) };
}

function buildModel(inputs: number): TensorFlow.LayersModel {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: SEED });
  const measurements = tf.input({ name: 'measurements', shape: [inputs] });
  const layer = tf.layers.dense({
    name: 'probabilities',
    units: CULTIVARS,
    activation: 'softmax',
    kernelInitializer,
  });
  return tf.model({ inputs: measurements, outputs: layer.apply(measurements) as TensorFlow.SymbolicTensor });
}

async function main(): Promise<void> {
  const { names, rows, cultivars } = loadWines();
  const order = rows.map((_, index) => (index * STRIDE) % rows.length);
  const trained = order.filter((row) => row % HELD_BACK_EVERY !== 0);
  const heldBack = order.filter((row) => row % HELD_BACK_EVERY === 0);
  const scales = names.map((_, column) => scaleOf(trained.map((row) => rows[row]?.[column] ?? 0)));
  const scaled = (chosen: readonly number[]): TensorFlow.Tensor2D =>
    tf.tensor2d(
      chosen.map((row) =>
        scales.map(({ mean, deviation }, column) => ((rows[row]?.[column] ?? 0) - mean) / deviation),
      ),
    );
  const model = buildModel(names.length);
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'categoricalCrossentropy' });
  const targets = tf.oneHot(
    trained.map((row) => cultivars[row] ?? 0),
    CULTIVARS,
  );
  await model.fit(scaled(trained), targets, { epochs: EPOCHS, batchSize: 16, shuffle: false, verbose: 0 });
  await model.save(`file://${join(folder, 'models/wine/1')}`);
  const answers = (model.predictOnBatch(scaled(heldBack)) as TensorFlow.Tensor2D).argMax(1).dataSync();
  const right = heldBack.filter((row, index) => answers[index] === cultivars[row]).length;
  for (const [column, { mean, deviation }] of scales.entries())
    process.stdout.write(`    - { field: ${names[column]}, subtract: ${mean}, divide: ${deviation} }\n`);
  process.stdout.write(`held out: ${right} of ${heldBack.length} right\n`);
}

await main();
