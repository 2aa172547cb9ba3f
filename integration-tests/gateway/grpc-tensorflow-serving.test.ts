import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { GrpcClient, type Message } from '../support/grpc.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';

const shape = (...sizes: number[]): object => ({ dim: sizes.map((size) => ({ size })) });
const spec = (name: string, more: object = {}): object => ({ model_spec: { name, ...more } });
const example = (...x: number[]): object => ({ features: { feature: { x: { float_list: { value: x } } } } });
const examples = { example_list: { examples: [example(1, 3), example(1, 1)] } };

describe("TensorFlow Serving's gRPC services", () => {
  let harness: Harness;
  let predictions: GrpcClient;
  let models: GrpcClient;
  before(async () => {
    harness = await Harness.start(['coder', 'types', 'estimator', 'scale']);
    await harness.node();
    const { url, grpcAddress } = await harness.gateway();
    predictions = new GrpcClient(grpcAddress, 'tensorflow.serving.PredictionService');
    models = new GrpcClient(grpcAddress, 'tensorflow.serving.ModelService');
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(async () => {
    predictions.close();
    models.close();
    await harness.close();
  });

  test('predicts from tensor_content and from values, and fills up with the last value', async () => {
    const tensor = { dtype: 'DT_FLOAT', tensor_shape: shape(1, 2) };
    const content = Buffer.from(new Float32Array([3, 3]).buffer);
    for (const filled of [{ tensor_content: content }, { float_val: [3, 3] }, { float_val: [3] }]) {
      const reply = await predictions.call('Predict', {
        ...spec('coder'),
        inputs: { x: { ...tensor, ...filled } },
      });
      assert.deepEqual(reply['model_spec'], {
        name: 'coder',
        version: { value: '1' },
        version_choice: 'version',
        signature_name: 'serving_default',
      });
      const { y } = reply['outputs'] as { y: Message };
      assert.deepEqual([y['dtype'], y['float_val']], ['DT_FLOAT', [6, 6]]);
    }
  });

  test('takes every data type, honors output_filter, and answers with values', async () => {
    const typed: Record<string, object> = {
      bool: { dtype: 'DT_BOOL', bool_val: [true, false] },
      bytes: { dtype: 'DT_STRING', string_val: [Buffer.from([0xff]), Buffer.from('ä')] },
      fp32: { dtype: 'DT_FLOAT', float_val: [-Infinity, NaN] },
      int32: { dtype: 'DT_INT32', int_val: [-1] },
      int64: { dtype: 'DT_INT64', int64_val: ['9007199254740993', '-5'] },
      uint8: { dtype: 'DT_UINT8', tensor_content: Buffer.from([0, 255]) },
    };
    const inputs = Object.fromEntries(
      Object.entries(typed).map(([name, value]) => [name, { ...value, tensor_shape: shape(1, 2) }]),
    );
    const all = await predictions.call('Predict', { ...spec('types'), inputs });
    const outputs = all['outputs'] as Record<string, Message>;
    assert.deepEqual(outputs['bool_echo']?.['bool_val'], [true, false]);
    assert.deepEqual(outputs['bytes_echo']?.['string_val'], [Buffer.from([0xff]), Buffer.from('ä')]);
    assert.deepEqual(outputs['fp32_echo']?.['float_val'], [-Infinity, NaN]);
    assert.deepEqual(outputs['int32_echo']?.['int_val'], [-1, -1]);
    assert.deepEqual(outputs['int64_echo']?.['int64_val'], ['9007199254740993', '-5']);
    assert.deepEqual(outputs['uint8_echo']?.['int_val'], [0, 255]);
    const content = Buffer.concat([Buffer.from([1, 0]), Buffer.from('a')]);
    const bytes = { dtype: 'DT_STRING', tensor_shape: shape(1, 2), tensor_content: content };
    const filtered = await predictions.call('Predict', {
      ...spec('types'),
      inputs: { ...inputs, bytes },
      output_filter: ['bytes_echo'],
    });
    const { bytes_echo: echo, ...others } = filtered['outputs'] as Record<string, Message>;
    assert.deepEqual(echo?.['string_val'], [Buffer.from('a'), Buffer.alloc(0)]);
    assert.deepEqual(others, {});
  });

  test('classifies and regresses examples, by name or serialized, with a context', async () => {
    const classified = await predictions.call('Classify', { ...spec('estimator'), input: examples });
    const classes = (first: number, second: number, labels = ['', '']): object => ({
      classes: [
        { label: labels[0], score: first },
        { label: labels[1], score: second },
      ],
    });
    assert.deepEqual(classified['result'], { classifications: [classes(0.25, 0.75), classes(0.5, 0.5)] });
    const input = { example_list_with_context: { examples: [{}, example(1, 1)], context: example(1, 3) } };
    const parsed = await predictions.call('Classify', {
      ...spec('estimator', { signature_name: 'parsed' }),
      input,
    });
    const labels = ['first', 'second'];
    assert.deepEqual(parsed['result'], {
      classifications: [classes(0.25, 0.75, labels), classes(0.5, 0.5, labels)],
    });
    const total = spec('estimator', { signature_name: 'total' });
    const regressed = await predictions.call('Regress', { ...total, input: examples });
    assert.deepEqual(regressed['result'], { regressions: [{ value: 4 }, { value: 2 }] });
    const multiple = await predictions.call('MultiInference', {
      tasks: [
        { ...spec('estimator'), method_name: 'tensorflow/serving/classify' },
        { ...total, method_name: 'tensorflow/serving/regress' },
      ],
      input: examples,
    });
    const [first, second] = multiple['results'] as Message[];
    assert.deepEqual(first?.['classification_result'], classified['result']);
    assert.deepEqual(second?.['regression_result'], regressed['result']);
  });

  test('shows metadata and status', async () => {
    const { metadata } = await predictions.call('GetModelMetadata', {
      ...spec('coder'),
      metadata_field: ['signature_def'],
    });
    const any = (metadata as Record<string, { type_url: string; value: Buffer }>)['signature_def'];
    assert.equal(any?.type_url, 'type.googleapis.com/tensorflow.serving.SignatureDefMap');
    assert.ok(any?.value.includes('serving_default'));
    const states = await models.call('GetModelStatus', spec('scale'));
    assert.deepEqual(
      (states['model_version_status'] as Message[]).map(
        ({ version, state }) => `${String(version)} ${String(state)}`,
      ),
      ['2 AVAILABLE'],
    );
    const { code, details } = await models.refusal('HandleReloadConfigRequest', {});
    assert.equal(code, status.UNIMPLEMENTED);
    assert.match(details, /^HandleReloadConfigRequest is not supported/);
  });

  test('reports errors with the texts of TensorFlow Serving', async () => {
    const x = { dtype: 'DT_FLOAT', tensor_shape: shape(1, 2), float_val: [1, 2] };
    const cases: readonly (readonly [string, object, number, string])[] = [
      ['Predict', {}, status.INVALID_ARGUMENT, 'Missing ModelSpec'],
      ['Predict', spec('nope'), status.NOT_FOUND, 'Servable not found for request: Latest(nope)'],
      [
        'Predict',
        spec('coder', { version: { value: 7 } }),
        status.NOT_FOUND,
        'Servable not found for request: Specific(coder, 7)',
      ],
      [
        'Predict',
        spec('coder', { version_label: 'stable' }),
        status.INVALID_ARGUMENT,
        'Unrecognized servable version label: stable',
      ],
      [
        'Predict',
        spec('coder', { signature_name: 'no' }),
        status.FAILED_PRECONDITION,
        'Serving signature key "no" not found.',
      ],
      [
        'Predict',
        { ...spec('coder'), inputs: { z: x } },
        status.INVALID_ARGUMENT,
        'input size does not match signature: 1!=1 len({z}) != len({x}). Sent extra: {z}. Missing but required: {x}.',
      ],
      [
        'Predict',
        { ...spec('coder'), inputs: { x }, output_filter: ['no'] },
        status.INVALID_ARGUMENT,
        'output tensor alias not found in signature: no Outputs expected to be in the set {y}.',
      ],
      [
        'Predict',
        { ...spec('coder'), inputs: { x: { ...x, dtype: 'DT_INVALID' } } },
        status.INVALID_ARGUMENT,
        "input 'x': expected a dtype of the Open Inference Protocol, got DT_INVALID",
      ],
      [
        'Predict',
        { ...spec('coder'), inputs: { x: { ...x, tensor_shape: shape(1_000_000, 1_000_000) } } },
        status.RESOURCE_EXHAUSTED,
        "input 'x': expected at most 1000000 bytes, got shape [1000000,1000000]",
      ],
      [
        'Predict',
        { ...spec('coder'), inputs: { x: { ...x, tensor_content: Buffer.alloc(7) } } },
        status.INVALID_ARGUMENT,
        "input 'x': expected 8 bytes of FP32 for shape [1,2], got 7",
      ],
      ['Classify', spec('estimator'), status.INVALID_ARGUMENT, 'Input is empty.'],
      [
        'Classify',
        { ...spec('estimator', { signature_name: 'no' }), input: examples },
        status.INVALID_ARGUMENT,
        'No signature was found with the name: no',
      ],
      [
        'Regress',
        { ...spec('estimator'), input: { example_list: { examples: [{}] } } },
        status.INVALID_ARGUMENT,
        'Feature: x is required but could not be found',
      ],
      [
        'GetModelMetadata',
        { ...spec('coder'), metadata_field: ['graph'] },
        status.INVALID_ARGUMENT,
        'Metadata field graph is not supported',
      ],
    ];
    for (const [method, request, code, details] of cases) {
      const refused = await predictions.refusal(method, request);
      assert.equal(refused.details, details);
      assert.equal(refused.code, code, details);
    }
    assert.equal((await models.refusal('GetModelStatus', spec('nope'))).code, status.NOT_FOUND);
  });
});
