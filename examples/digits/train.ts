/**
 * Trains the digits model with TensorFlow.js and writes a layers model with its expected results.
 *
 *     node dist/examples/digits/train.js FOLDER
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type * as TensorFlow from '@tensorflow/tfjs-node';
import { importTensorFlow } from '../tensorflow.js';
import { CLASSES, type Digits, type Expectations, loadDigits, mostLikely, PIXELS } from './dataset.js';

const SEED = 20_240_501;
const EPOCHS = 40;
const SAMPLES = 20;
const STRIDE = 1009;

const tf = importTensorFlow();

/** Builds the model, from raw pixels to probabilities: the model scales its inputs. */
function buildModel(): TensorFlow.LayersModel {
  const dense = (name: string, units: number, activation: 'relu' | 'softmax', seed: number) =>
    tf.layers.dense({ name, units, activation, kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const pixels = tf.input({ name: 'pixels', shape: [PIXELS] });
  const scaled = tf.layers
    .rescaling({ name: 'scaled', scale: 1 / 16 })
    .apply(pixels) as TensorFlow.SymbolicTensor;
  const hidden = dense('hidden', 128, 'relu', SEED).apply(scaled) as TensorFlow.SymbolicTensor;
  const probabilities = dense('probabilities', CLASSES, 'softmax', SEED + 1).apply(hidden);
  return tf.model({ inputs: pixels, outputs: probabilities as TensorFlow.SymbolicTensor });
}

/** Returns the training rows in a fixed shuffled order: the generator of TensorFlow.js cannot be seeded. */
function trainingRows({ heldBack }: Digits): number[] {
  const rows = heldBack.flatMap((held, row) => (held ? [] : [row]));
  return rows.map((_, index) => rows[(index * STRIDE) % rows.length] ?? 0);
}

function tensorOf(rows: readonly Float32Array[]): TensorFlow.Tensor2D {
  const values = new Float32Array(rows.length * PIXELS);
  rows.forEach((row, index) => values.set(row, index * PIXELS));
  return tf.tensor2d(values, [rows.length, PIXELS]);
}

async function train(digits: Digits): Promise<TensorFlow.LayersModel> {
  const rows = trainingRows(digits);
  const model = buildModel();
  model.compile({ optimizer: tf.train.adam(), loss: 'categoricalCrossentropy' });
  const inputs = tensorOf(rows.map((row) => digits.pixels[row] ?? new Float32Array(PIXELS)));
  const targets = tf.oneHot(
    rows.map((row) => digits.labels[row] ?? 0),
    CLASSES,
  );
  await model.fit(inputs, targets, { epochs: EPOCHS, batchSize: 32, shuffle: false, verbose: 0 });
  return model;
}

function expectationsOf(model: TensorFlow.LayersModel, { pixels, labels, heldBack }: Digits): Expectations {
  const answers = (model.predictOnBatch(tensorOf(pixels)) as TensorFlow.Tensor2D).arraySync();
  const right = answers.map((probabilities, row) => mostLikely(probabilities) === labels[row]);
  const heldBackCorrect = right.filter((isRight, row) => isRight && heldBack[row]).length;
  const heldBackRows = heldBack.filter(Boolean).length;
  const step = Math.floor(labels.length / SAMPLES);
  return {
    rows: labels.length,
    correct: right.filter(Boolean).length,
    heldBackRows,
    heldBackCorrect,
    heldBackAccuracy: heldBackCorrect / heldBackRows,
    samples: Array.from({ length: SAMPLES }, (_, index) => index * step).map((row) => ({
      row,
      label: labels[row] ?? NaN,
      pixels: [...(pixels[row] ?? [])],
      probabilities: answers[row] ?? [],
    })),
  };
}

async function main(folder: string): Promise<void> {
  const digits = loadDigits();
  const model = await train(digits);
  await model.save(`file://${resolve(folder)}`);
  const expectations = expectationsOf(model, digits);
  writeFileSync(join(folder, 'expected.json'), `${JSON.stringify(expectations)}\n`);
  process.stdout.write(`held out: ${expectations.heldBackCorrect} of ${expectations.heldBackRows} right\n`);
}

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write('usage: node dist/examples/digits/train.js FOLDER\n');
  process.exitCode = 2;
} else {
  await main(folder);
}
