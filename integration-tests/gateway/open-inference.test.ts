import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call, type JsonResponse } from '../support/http.js';

const LENGTH = 'inference-header-content-length';

describe('the Open Inference Protocol over REST', () => {
  let harness: Harness;
  let url: string;
  before(async () => {
    harness = await Harness.start(['digits', 'scale', 'coder', 'slow', 'int64']);
    await harness.node();
    ({ url } = await harness.gateway({ gatewayMaxBodyBytes: 2_000_000 }));
    await eventually(
      'the gateway is ready',
      async () => (await call(`${url}/v2/health/ready`)).status === 200,
    );
  });
  after(() => harness.close());

  const infer = (model: string, body: string | Buffer | object, init?: RequestInit): Promise<JsonResponse> =>
    call(`${url}/v2/models/${model}/infer`, body, init);
  const pixels = { name: 'pixels', datatype: 'FP32', shape: [1, 64] };
  const blank = Array<number>(64).fill(8);

  test('answers health and metadata as clients read them', async () => {
    assert.deepEqual((await call(`${url}/v2/health/live`)).body, { live: true });
    assert.deepEqual((await call(`${url}/v2/health/ready`)).body, { ready: true });
    const { name } = (await call(`${url}/v2`)).body as { name: string };
    assert.equal(name, 'partitura');
    const { inputs } = (await call(`${url}/v2/models/digits`)).body as { inputs: object[] };
    assert.deepEqual(inputs, [{ name: 'pixels', datatype: 'FP32', shape: [-1, 64] }]);
    assert.equal((await call(`${url}/v2/models/digits/ready`)).status, 200);
    assert.equal((await call(`${url}/v2/models/digits/config`)).status, 200);
    assert.equal((await call(`${url}/v2/models/digits/stats`)).status, 200);
    const index = (await call(`${url}/v2/repository/index`, '')).body as { name: string; state: string }[];
    assert.deepEqual(index.map(({ name, state }) => `${name} ${state}`).sort(), [
      'coder READY',
      'digits READY',
      'int64 READY',
      'scale READY',
      'slow READY',
    ]);
  });

  test('JSON, nested or flat, and binary tensors give the same answer', async () => {
    const flat = await infer('digits', { id: 'a', inputs: [{ ...pixels, data: blank }] });
    assert.equal(flat.status, 200);
    const nested = await infer('digits', { id: 'a', inputs: [{ ...pixels, data: [blank] }] });
    assert.deepEqual(nested.body, flat.body);
    const data = Buffer.from(new Float32Array(blank).buffer);
    const head = JSON.stringify({
      id: 'a',
      parameters: { binary_data_output: true },
      inputs: [{ ...pixels, parameters: { binary_data_size: data.length } }],
    });
    const response = await fetch(`${url}/v2/models/digits/infer`, {
      method: 'POST',
      headers: { [LENGTH]: String(head.length) },
      body: Buffer.concat([Buffer.from(head), data]),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const split = Number(response.headers.get(LENGTH));
    const { outputs } = JSON.parse(bytes.subarray(0, split).toString()) as {
      outputs: { parameters: object }[];
    };
    assert.deepEqual(outputs[0]?.parameters, { binary_data_size: 40 });
    const numbers = [...new Float32Array(bytes.buffer.slice(bytes.byteOffset + split))];
    assert.deepEqual(numbers, (flat.body as { outputs: { data: number[] }[] }).outputs[0]?.data);
    const raw = await infer('digits', data, { headers: { [LENGTH]: '0' } });
    assert.equal(raw.status, 200);
  });

  test('large bodies and 64-bit integers are read like small ones', async () => {
    const rows = Array.from({ length: 200 }, () => blank);
    const large = await infer('digits', {
      inputs: [{ ...pixels, shape: [200, 64], data: rows }],
      outputs: [],
    });
    assert.equal(large.status, 200, large.text);
    const body = '{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}';
    assert.match((await infer('int64', body)).text, /9007199254740994/);
  });

  test('takes compressed bodies, and refuses those that expand too far', async () => {
    const body = gzipSync(JSON.stringify({ inputs: [{ ...pixels, data: blank }] }));
    assert.equal((await infer('digits', body, { headers: { 'content-encoding': 'gzip' } })).status, 200);
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    const refused = await infer('digits', bomb, { headers: { 'content-encoding': 'gzip' } });
    assert.equal(refused.status, 413);
    const odd = await infer('digits', body, { headers: { 'content-encoding': 'zip' } });
    assert.equal(odd.status, 415);
  });

  test('hostile requests get one sentence that names the field', async () => {
    const input = { ...pixels, data: blank };
    const cases: readonly (readonly [string | object, number, RegExp, Record<string, string>?])[] = [
      ['{"inputs":[1e400]}', 400, /Number too big to be stored in double/],
      ['{"inputs":', 400, /^JSON Parse error: .* at offset: 10$/],
      [
        { inputs: [{ ...input, shape: [1, -64] }] },
        400,
        /^input 'pixels': expected a shape of whole numbers/,
      ],
      [
        { inputs: [{ ...input, shape: [2 ** 32, 2 ** 32] }] },
        400,
        /^input 'pixels': expected 18446744073709552000 elements/,
      ],
      [
        { inputs: [{ ...input, shape: [1, 63] }] },
        400,
        /^input 'pixels': expected 63 elements for shape \[1,63\], got 64$/,
      ],
      [{ inputs: [{ ...input, datatype: 'FP8' }] }, 400, /^input 'pixels': expected a datatype of /],
      [
        { inputs: [{ ...pixels, parameters: { binary_data_size: 256 } }] },
        400,
        /^input 'pixels': expected header/,
      ],
      [
        { inputs: [{ ...pixels, parameters: { shared_memory_region: 'x' } }] },
        400,
        /shared memory is not supported/,
      ],
      [
        '{}',
        400,
        /^header 'Inference-Header-Content-Length': expected a length from 0 to 2, got '99'$/,
        { [LENGTH]: '99' },
      ],
      [{ inputs: [input] }, 400, /^header 'timeout': expected a positive time, got '-1'$/, { timeout: '-1' }],
      [' '.repeat(2_000_001), 413, /^body: expected at most 2000000 bytes, got more$/],
    ];
    for (const [body, status, message, headers] of cases) {
      const answer = await infer('digits', body, headers && { headers });
      const { error } = answer.body as { error: string };
      assert.match(error, message);
      assert.equal(answer.status, status, error);
    }
    assert.equal((await infer('nope', { inputs: [input] })).status, 404);
    assert.equal((await call(`${url}/v2/systemsharedmemory/status`)).status, 501);
  });

  test('a deadline in a header ends with 504', async () => {
    const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [1] }] };
    const late = await infer('slow', body, { headers: { 'x-request-timeout-ms': '5' } });
    assert.equal(late.status, 504, late.text);
  });
});
