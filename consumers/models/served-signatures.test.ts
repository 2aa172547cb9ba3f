import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { Engine } from '../engine/engine.js';
import { createEngine } from '../engine/threaded-engine.js';
import {
  retireSignatures,
  serveSignatures,
  signatureNamed,
  type ServedSignatures,
} from './served-signatures.js';
import { describeSignatures } from './signature-status.js';
import { DEFAULTS, SURROUNDINGS, versionFolder } from '../../testing/versions.js';

describe('signatures of a version', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 2 });
  });
  after(() => engine.close());

  async function serve(context: TestContext, model: string, settings = ''): Promise<ServedSignatures> {
    const folder = await versionFolder(context, model, settings);
    const served = await serveSignatures(folder, engine, DEFAULTS, SURROUNDINGS);
    context.after(() => retireSignatures(served));
    return served;
  }

  test('each has its own tensors and verdict, and one that fails to load does not affect the others', async (context) => {
    const served = await serve(context, 'coder');
    const described = describeSignatures(served).map(({ name, inputs, outputs, batching, problem }) => [
      name,
      inputs.map((tensor) => `${tensor.name} ${tensor.datatype} ${tensor.shape.join()}`).join(),
      outputs.map((tensor) => tensor.name).join(),
      batching?.batchable ?? problem?.replace(/;.*/, ''),
    ]);
    assert.deepEqual(described, [
      ['serving_default', 'x FP32 -1,2', 'y', true],
      ['decode', 'code BYTES -1', 'text', true],
      ['encode', 'text BYTES -1', 'code', true],
      ['normalize', 'x FP32 -1,2', 'y', false],
      [
        'precise',
        '',
        '',
        "model 'coder' version 1: input 'x' is FP64, which TensorFlow for Node does not support",
      ],
    ]);
  });

  test('model.yaml sets the default one', async (context) => {
    const served = await serve(context, 'coder', 'signature: encode');
    assert.equal(served.main.signatureNames?.loaded, 'encode');
    assert.equal(signatureNamed(served, 'serving_default').signature.inputs[0]?.name, 'x');
  });

  test('an unknown default one, or one in a format without signature names, is rejected with the known ones', async (context) => {
    await assert.rejects(serve(context, 'coder', 'signature: predict'), {
      code: 'MODEL_FAILED',
      message:
        "model 'coder' version 1: expected a signature 'predict', got decode, encode, normalize, precise, serving_default; set `signature` in model.yaml to the default one",
    });
    await assert.rejects(serve(context, 'scale-onnx', 'signature: predict'), {
      code: 'INVALID_REQUEST',
      message: "model.yaml: signature: expected only with a SavedModel, got 'predict' with onnx",
    });
  });

  test('a request for an unknown one fails with the known ones, for a failed one with the reason', async (context) => {
    const served = await serve(context, 'coder');
    assert.throws(() => signatureNamed(served, 'predict'), {
      code: 'INVALID_REQUEST',
      message:
        "parameters.signature: expected one of 'decode', 'encode', 'normalize', 'precise', 'serving_default', got 'predict'",
    });
    assert.throws(() => signatureNamed(served, 'precise'), {
      code: 'MODEL_FAILED',
      message: /^signature 'precise' is not served: .*FP64.*cast it/,
    });
    const unnamed = await serve(context, 'scale-onnx');
    assert.throws(() => signatureNamed(unnamed, 'predict'), {
      code: 'INVALID_REQUEST',
      message:
        "parameters.signature: expected none, because the model has a single unnamed signature, got 'predict'",
    });
  });

  test('all share the hash of the files, which changes with them', async (context) => {
    const [one, other] = [
      await serve(context, 'scale-onnx'),
      await serve(context, 'scale-onnx', 'maxBatchRows: 2'),
    ];
    assert.match(one.filesHash ?? '', /^[0-9a-f]{64}$/);
    assert.notEqual(one.filesHash, other.filesHash);
  });
});
