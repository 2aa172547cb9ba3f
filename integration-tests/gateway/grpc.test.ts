import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { GrpcClient, type Message, type Refusal } from '../support/grpc.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';

const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);
const fp32 = (contents: readonly number[]): object => ({
  name: 'x',
  datatype: 'FP32',
  shape: [1, contents.length],
  contents: { fp32_contents: contents },
});

describe('the Open Inference Protocol over gRPC', () => {
  let harness: Harness;
  let client: GrpcClient;
  let url: string;
  let grpcAddress: string;
  before(async () => {
    harness = await Harness.start(['digits', 'coder', 'types', 'int64', 'slow']);
    await harness.node();
    ({ url, grpcAddress } = await harness.gateway({ gatewayMaxBodyBytes: 2_000_000 }));
    client = new GrpcClient(grpcAddress, 'inference.GRPCInferenceService');
    await eventually(
      'the gateway is ready',
      async () => (await client.call('ServerReady', {}))['ready'] === true,
    );
  });
  after(async () => {
    client.close();
    await harness.close();
  });

  test('answers health, metadata, configuration, statistics and index', async () => {
    assert.deepEqual(await client.call('ServerLive', {}), { live: true });
    assert.equal((await client.call('ServerMetadata', {}))['name'], 'partitura');
    assert.deepEqual(await client.call('ModelReady', { name: 'digits' }), { ready: true });
    assert.deepEqual(await client.call('ModelReady', { name: 'digits', version: '9' }), { ready: false });
    const metadata = await client.call('ModelMetadata', { name: 'digits' });
    assert.deepEqual(metadata['versions'], ['1']);
    assert.deepEqual(metadata['inputs'], [{ name: 'pixels', datatype: 'FP32', shape: ['-1', '64'] }]);
    const { config } = (await client.call('ModelConfig', { name: 'digits' })) as { config: Message };
    assert.deepEqual(config['input'], [{ name: 'pixels', data_type: 'TYPE_FP32', dims: ['64'] }]);
    const { model_stats: stats } = await client.call('ModelStatistics', { name: 'digits' });
    assert.deepEqual(
      (stats as Message[]).map(({ name }) => name),
      ['digits'],
    );
    const { models } = await client.call('RepositoryIndex', { ready: true });
    assert.deepEqual(
      (models as Message[]).map(({ name }) => name),
      ['coder', 'digits', 'int64', 'slow', 'types'],
    );
  });

  test('typed and raw contents give the same answer, in raw_output_contents', async () => {
    const input = { name: 'x', datatype: 'FP32', shape: [1, 2] };
    const request = { model_name: 'coder', id: 'a' };
    const raw = await client.call('ModelInfer', {
      ...request,
      inputs: [input],
      raw_input_contents: [floats(1, 2)],
    });
    const typed = await client.call('ModelInfer', { ...request, inputs: [fp32([1, 2])] });
    assert.deepEqual(typed, raw);
    assert.deepEqual(raw['raw_output_contents'], [floats(2, 4)]);
    assert.deepEqual([raw['id'], raw['model_name'], raw['model_version']], ['a', 'coder', '1']);
    assert.equal(
      (await client.call('ModelInfer', { model_name: 'coder', inputs: [fp32([1, 2])] }))['id'],
      '',
    );
  });

  test('takes every data type in its field of contents, and 64-bit integers to the digit', async () => {
    const inputs = [
      { name: 'bool', datatype: 'BOOL', contents: { bool_contents: [true, false] } },
      { name: 'bytes', datatype: 'BYTES', contents: { bytes_contents: [Buffer.from('ä'), Buffer.alloc(0)] } },
      { name: 'fp32', datatype: 'FP32', contents: { fp32_contents: [1.5, NaN] } },
      { name: 'int32', datatype: 'INT32', contents: { int_contents: [-1, 2] } },
      { name: 'int64', datatype: 'INT64', contents: { int64_contents: ['9007199254740993', '-5'] } },
      { name: 'uint8', datatype: 'UINT8', contents: { uint_contents: [0, 255] } },
    ].map((input) => ({ ...input, shape: [1, 2] }));
    const reply = await client.call('ModelInfer', { model_name: 'types', inputs });
    const names = (reply['outputs'] as Message[]).map(({ name }) => name as string);
    const bytes = reply['raw_output_contents'] as Buffer[];
    const found = Object.fromEntries(names.map((name, index) => [name, bytes[index]?.toString('hex')]));
    assert.deepEqual(found, {
      bool_echo: '0100',
      bytes_echo: '02000000c3a400000000',
      fp32_echo: '0000c03f0000c07f',
      int32_echo: 'ffffffff02000000',
      int64_echo: '0100000000002000fbffffffffffffff',
      uint8_echo: '00ff',
    });
  });

  test('bad requests get one sentence that names the field', async () => {
    const pixels = { name: 'pixels', datatype: 'FP32', shape: [1, 64] };
    const request = { model_name: 'digits', inputs: [pixels] };
    const blank = floats(...Array<number>(64).fill(0));
    const cases: readonly (readonly [object, number, RegExp])[] = [
      [{ model_name: 'nope' }, status.NOT_FOUND, /^Request for unknown model: 'nope' is not found$/],
      [
        { model_name: 'digits', model_version: '7' },
        status.NOT_FOUND,
        /^Request for unknown model: 'digits' version 7/,
      ],
      [request, status.INVALID_ARGUMENT, /^input 'pixels': expected 64 elements for shape \[1,64\], got 0$/],
      [
        { ...request, raw_input_contents: [blank, blank] },
        status.INVALID_ARGUMENT,
        /^raw_input_contents: expected one for each of 1 inputs, got 2$/,
      ],
      [
        { ...request, raw_input_contents: [blank.subarray(1)] },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected 64 elements of FP32 for shape \[1,64\], got 255 bytes$/,
      ],
      [
        { ...request, inputs: [{ ...pixels, shape: [1, -64] }], raw_input_contents: [blank] },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected a shape of whole numbers, got -64$/,
      ],
      [
        {
          ...request,
          inputs: [{ ...pixels, shape: ['9223372036854775807', 64] }],
          raw_input_contents: [blank],
        },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected a shape of whole numbers, got 9223372036854775807$/,
      ],
      [
        {
          ...request,
          inputs: [{ ...pixels, contents: { fp32_contents: [1] } }],
          raw_input_contents: [blank],
        },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected no contents beside raw_input_contents, got both$/,
      ],
      [
        { ...request, inputs: [{ ...pixels, contents: { int_contents: [1] } }] },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected FP32 in fp32_contents, got int_contents$/,
      ],
      [
        { ...request, inputs: [{ ...pixels, datatype: 'FP16' }] },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected FP16 in raw_input_contents, got typed contents$/,
      ],
      [
        { ...request, inputs: [{ ...pixels, datatype: '\ud800' }] },
        status.INVALID_ARGUMENT,
        /^input 'pixels': expected a datatype of the Open Inference Protocol/,
      ],
      [
        { ...request, inputs: [{ ...pixels, parameters: { shared_memory_region: { string_param: 'r' } } }] },
        status.UNIMPLEMENTED,
        /^input 'pixels': shared memory is not supported/,
      ],
      [
        { ...request, raw_input_contents: [blank], parameters: { timeout: { string_param: 'soon' } } },
        status.INVALID_ARGUMENT,
        /^parameters.timeout: expected microseconds, got 'soon'$/,
      ],
      [
        { ...request, raw_input_contents: [blank], outputs: [{ name: 'no' }] },
        status.INVALID_ARGUMENT,
        /output 'no'|'no'/,
      ],
    ];
    for (const [bad, code, sentence] of cases) {
      const refused = await client.refusal('ModelInfer', bad);
      assert.match(refused.details, sentence);
      assert.equal(refused.code, code, refused.details);
    }
    const big = await client.refusal('ModelInfer', {
      ...request,
      raw_input_contents: [Buffer.alloc(2_000_001)],
    });
    assert.equal(big.code, status.RESOURCE_EXHAUSTED);
    for (const method of ['SystemSharedMemoryStatus', 'CudaSharedMemoryRegister']) {
      const refused = await client.refusal(method, { name: 'r' });
      assert.equal(refused.code, status.UNIMPLEMENTED);
      assert.match(refused.details, /shared memory is not supported/);
    }
  });

  test('a deadline ends a call, in the call or as a parameter', async () => {
    const request = { model_name: 'slow', inputs: [fp32([1, 2, 3, 4])] };
    assert.equal(
      (await client.refusal('ModelInfer', request, { deadlineMs: 5 })).code,
      status.DEADLINE_EXCEEDED,
    );
    const parameters = { timeout: { int64_param: 5_000 } };
    const late = await client.refusal('ModelInfer', { ...request, parameters });
    assert.equal(late.code, status.DEADLINE_EXCEEDED);
  });

  test('a stream answers in order, and continues after a failure', async () => {
    const stream = client.stream('ModelStreamInfer');
    const answers: Message[] = [];
    stream.on('data', (answer: Message) => answers.push(answer));
    for (let index = 0; index < 100; index++)
      stream.write({
        model_name: index % 10 === 3 ? 'nope' : index % 10 === 5 ? 'slow' : 'coder',
        id: String(index),
        inputs: [index % 10 === 5 ? fp32([index, 0, 0, 0]) : fp32([index, 0])],
      });
    stream.end();
    await once(stream, 'end');
    const ids = answers.map(({ infer_response: response }) => (response as Message)['id']);
    assert.deepEqual(
      ids,
      Array.from({ length: 100 }, (_, index) => String(index)),
    );
    const failures = answers.flatMap(({ error_message: message }, index) =>
      message === '' ? [] : [`${index}: ${String(message)}`],
    );
    const expected = Array.from(
      { length: 10 },
      (_, index) => `${index * 10 + 3}: Request for unknown model: 'nope' is not found`,
    );
    assert.deepEqual(failures, expected);
  });

  test('a call that its caller cancels is counted as cancelled, and the traces continue', async () => {
    const { reply, cancel } = client.start('ModelInfer', {
      model_name: 'slow',
      inputs: [fp32([1, 2, 3, 4])],
    });
    setImmediate(cancel);
    await assert.rejects(reply, { code: status.CANCELLED });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await client.call(
      'ModelInfer',
      { model_name: 'coder', inputs: [fp32([1, 2])] },
      { metadata: { traceparent } },
    );
    const records = await harness.read(harness.topics.requests('coder'));
    assert.ok(
      records.some(({ headers }) =>
        String(headers['traceparent']).includes('0af7651916cd43dd8448eb211c80319c'),
      ),
    );
    const { text } = await call(`${url}/metrics`);
    assert.match(text, /partitura_gateway_requests_total\{dialect="grpc-open-inference",status="OK"\} \d/);
    assert.match(text, /\{dialect="grpc-open-inference",status="DEADLINE_EXCEEDED"\} \d/);
    assert.match(text, /\{dialect="grpc-open-inference",status="NOT_FOUND"\} \d/);
  });

  test('stopping finishes calls in flight, reports NOT_SERVING and ends streams', async () => {
    const gateway = await harness.gateway();
    const own = new GrpcClient(gateway.grpcAddress, 'inference.GRPCInferenceService');
    await eventually(
      'the second gateway is ready',
      async () => (await own.call('ServerReady', {}))['ready'] === true,
    );
    const stream = own.stream('ModelStreamInfer');
    const ended = new Promise<number>((resolve) => stream.on('error', ({ code }: Refusal) => resolve(code)));
    const streamed = once(stream, 'data') as Promise<[Message]>;
    stream.write({ model_name: 'slow', id: 'last', inputs: [fp32([7, 7, 7, 7])] });
    const calls = Array.from({ length: 10 }, () =>
      own.call('ModelInfer', { model_name: 'slow', inputs: [fp32([1, 2, 3, 4])] }),
    );
    await eventually('all calls are in flight', async () =>
      (await call(`${gateway.url}/metrics`)).text.includes('partitura_gateway_inflight_requests 11'),
    );
    await gateway.close();
    for (const reply of await Promise.all(calls))
      assert.deepEqual(reply['raw_output_contents'], [floats(1, 2, 3, 4)]);
    assert.equal(((await streamed)[0]['infer_response'] as Message)['id'], 'last');
    assert.equal(await ended, status.UNAVAILABLE);
    own.close();
  });
});
