import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call, type JsonResponse } from '../support/http.js';

describe("TensorFlow Serving's REST API", () => {
  let harness: Harness;
  let url: string;
  before(async () => {
    harness = await Harness.start(['coder', 'sum', 'types', 'int64', 'digits']);
    await harness.node();
    ({ url } = await harness.gateway());
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(() => harness.close());

  const post = (path: string, body: string | object): Promise<JsonResponse> => call(`${url}${path}`, body);

  test('predicts rows, and drops the name of a single output', async () => {
    const { status, text } = await post('/v1/models/coder:predict', {
      instances: [
        [1, 2],
        [3, 4.5],
      ],
    });
    assert.deepEqual([status, text], [200, '{"predictions":[[2.0,4.0],[6.0,9.0]]}']);
  });

  test('predicts named rows and columns', async () => {
    const rows = await post('/v1/models/coder:predict', { instances: [{ x: [1, 2] }, { x: [3, 4] }] });
    assert.equal(rows.text, '{"predictions":[[2.0,4.0],[6.0,8.0]]}');
    const columns = await post('/v1/models/coder:predict', { inputs: { x: [[1, 2]] } });
    assert.equal(columns.text, '{"outputs":[[2.0,4.0]]}');
  });

  test('chooses a signature, and takes and returns bytes in base64', async () => {
    const b64 = Buffer.from('ä').toString('base64');
    const encoded = await post('/v1/models/coder:predict', {
      signature_name: 'encode',
      instances: [{ b64 }],
    });
    const [code] = (encoded.body as { predictions: { b64: string }[] }).predictions;
    assert.deepEqual(
      Buffer.from(code?.b64 ?? '', 'base64'),
      Buffer.concat([Buffer.from([0xff]), Buffer.from('ä')]),
    );
    const decoded = await post('/v1/models/coder:predict', {
      signature_name: 'decode',
      instances: [code as object],
    });
    assert.equal(decoded.text, '{"predictions":["ä"]}');
  });

  test('paths do not depend on case, and name versions', async () => {
    assert.equal((await post('/V1/Models/coder/Versions/1:PREDICT', { instances: [[1, 2]] })).status, 200);
    const missing = await post('/v1/models/coder/versions/7:predict', { instances: [[1, 2]] });
    assert.deepEqual(
      [missing.status, missing.text],
      [404, '{"error":"Servable not found for request: Specific(coder, 7)"}'],
    );
  });

  test('64-bit integers keep their digits, and NaN and infinities are bare', async () => {
    const big = await post('/v1/models/int64:predict', '{"instances":[9007199254740993]}');
    assert.match(big.text, /9007199254740994/);
    const odd = await post('/v1/models/coder:predict', '{"instances":[[NaN,-Infinity]]}');
    assert.equal(odd.text, '{"predictions":[[NaN,-Infinity]]}');
  });

  test('reports errors with the texts of TensorFlow Serving', async () => {
    const cases: readonly (readonly [string, string | object, number, string | RegExp])[] = [
      ['/v1/models/nope:predict', { instances: [1] }, 404, 'Servable not found for request: Latest(nope)'],
      [
        '/v1/models/coder/labels/stable:predict',
        { instances: [1] },
        400,
        'Unrecognized servable version label: stable',
      ],
      ['/v1/models/coder:predict', '', 400, 'JSON Parse error: The document is empty. at offset: 0'],
      ['/v1/models/coder:predict', '[1]', 400, /Is not object$/],
      [
        '/v1/models/coder:predict',
        { signature_name: 5, instances: [1] },
        400,
        /'signature_name' key must be a string value\.$/,
      ],
      [
        '/v1/models/coder:predict',
        { signature_name: 'no', instances: [1] },
        400,
        'Serving signature name: "no" not found in signature def',
      ],
      [
        '/v1/models/coder:predict',
        { instances: [1], inputs: [1] },
        400,
        /only one of 'inputs' or 'instances' keys/,
      ],
      ['/v1/models/coder:predict', {}, 400, "Missing 'inputs' or 'instances' key"],
      ['/v1/models/coder:predict', { instances: [] }, 400, /No values in 'instances' array$/],
      [
        '/v1/models/coder:predict',
        { instances: [['a', 'b']] },
        400,
        /JSON Value: "a" Type: String is not of expected type: float$/,
      ],
      ['/v1/models/coder:predict', { instances: [[1, 2], [3]] }, 400, /Expecting tensor size: 2 but got: 1$/],
      [
        '/v1/models/coder:predict',
        { instances: [{ y: 1 }] },
        400,
        /JSON object: does not have named input: y$/,
      ],
      ['/v1/models/coder:train', { instances: [1] }, 404, 'Malformed request: POST /v1/models/coder:train'],
    ];
    for (const [path, body, status, message] of cases) {
      const answer = await post(path, body);
      const { error } = answer.body as { error: string };
      assert.equal(answer.status, status, error);
      if (typeof message === 'string') assert.equal(error, message);
      else assert.match(error, message);
    }
  });

  test('shows status and metadata', async () => {
    const status = await call(`${url}/v1/models/coder`);
    assert.deepEqual(status.body, {
      model_version_status: [
        { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
      ],
    });
    const { body } = await call(`${url}/v1/models/coder/metadata`);
    const metadata = body as {
      model_spec: object;
      metadata: { signature_def: { signature_def: Record<string, unknown> } };
    };
    assert.deepEqual(metadata.model_spec, { name: 'coder', signature_name: '', version: '1' });
    const names = Object.keys(metadata.metadata.signature_def.signature_def).sort();
    assert.deepEqual(names, ['decode', 'encode', 'normalize', 'precise', 'serving_default']);
    const unknown = await call(`${url}/v1/models/nope`);
    assert.deepEqual(
      [unknown.status, unknown.text],
      [404, '{"error":"Could not find any versions of model nope"}'],
    );
  });
});
