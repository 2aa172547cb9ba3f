import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DIGITS, DIGITS_ONNX, fixture, sourceOf } from '../../../testing/engine-models.js';
import type { Engine } from '../../engine/engine.js';
import { createEngine } from '../../engine/threaded-engine.js';
import { proveBatching, type ProvenVerdict } from './prove.js';

/** Models that are not batched, with the reason. */
const NOT_BATCHED: Readonly<Record<string, RegExp>> = {
  'softmax-over-rows-onnx': /^output 'y' of a request depends on other requests in the batch$/,
  'cumsum-over-time-onnx': /depends on other requests in the batch/,
  'softmax-over-rows': /depends on other requests/,
  'cumsum-over-time': /depends on other requests/,
  words: /^output 'words' of a request depends on other requests/,
  'image-by-text-onnx': /^output 'logits' of a request depends on other requests/,
  'rows-counted-onnx': /depends on other requests/,
  'quantized-onnx': /depends on other requests/,
  'masked-softmax-onnx': /depends on other requests/,
  'spectrogram-onnx': /depends on other requests/,
  'row-indices-onnx': /depends on other requests/,
  'clip-by-all-onnx': /depends on other requests/,
  'side-input-onnx': /depends on other requests/,
  'from-batches-of-five-onnx': /depends on other requests/,
  'found-onnx': /^output 'y' has \d+ rows? for \d rows? of input$/,
  'positives-onnx': /^output 'positives' has/,
  positives: /^output 'positives' has/,
  'positives-graph': /^output 'positives' has/,
  'random-answers-onnx': /^output 'y' differs from run to run for the same input$/,
  'matmul-open-onnx': /^not verified: the model rejects random inputs: .*dimension mismatch/,
  'abort-onnx': /^not verified: random inputs crashed it: .*SIGABRT/,
  'unknown-rank': /^input 'x' declares no dimensions$/,
  'unknown-rank-onnx': /^input 'x' declares no dimensions$/,
  'no-inputs-onnx': /^the model has no inputs$/,
  'fixed-onnx': /^the first dimension of input 'x' is fixed at 1$/,
};

/** Models whose rows are independent, with strings, ids of a small vocabulary, positive numbers only, … */
const BATCHED = [
  'types',
  'types-onnx',
  'types-graph',
  'sum',
  'sum-onnx',
  'int64',
  'int64-onnx',
  'picky',
  'picky-onnx',
  'labels-onnx',
  'lengths',
  'embedding-onnx',
  'product-onnx',
  'open-image-onnx',
  'empty-cache-onnx',
  'divide-onnx',
  'digits-graph',
  'digits-layers',
  'digits-onnx',
  'iris-sklearn-onnx',
  // Declares its labels as one row.
  'iris-lightgbm-onnx',
];

describe('batching proofs on real engines', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 1 });
  });
  after(() => engine.close());

  async function proven(directory: string): Promise<ProvenVerdict> {
    const loaded = await engine.isolated?.load(await sourceOf(directory));
    assert.ok(loaded);
    try {
      return await proveBatching(loaded, { maxBatchRows: 64, essentialMs: 30_000 });
    } finally {
      await loaded.unload();
    }
  }

  for (const [model, reason] of Object.entries(NOT_BATCHED))
    test(`${model} is not batched, with the reason`, async () => {
      const verdict = await proven(fixture(model));
      assert.equal(verdict.batchable, false);
      assert.match(verdict.reason, reason);
    });

  for (const directory of [...BATCHED.map((model) => fixture(model)), DIGITS, DIGITS_ONNX])
    test(`${directory.split('/').slice(-2).join('/')} is batched`, async () => {
      const verdict = await proven(directory);
      assert.match(verdict.reason, /^rows are independent: verified by \d+ runs of up to \d+ rows$/);
      assert.equal(verdict.batchable, true);
    });
});
