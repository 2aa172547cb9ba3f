import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Datatype } from '../datatypes.js';
import type { ErrorCode } from '../errors.js';
import { decodeElements, encodeElements } from '../tensor.js';
import { exampleReply, exampleTensor } from '../../testing/requests.js';
import { oipJson } from './oip-json.js';

const decode = (body: string): ReturnType<typeof oipJson.decodeRequest> =>
  oipJson.decodeRequest(Buffer.from(body), 'digits');
const withInput = (input: string): string => `{"inputs":[${input}]}`;
const withData = (datatype: string, shape: string, data: string): string =>
  withInput(`{"name":"x","datatype":"${datatype}","shape":${shape},"data":${data}}`);

/** Elements that are easily corrupted in transit, by data type, in JSON notation. */
const ELEMENTS: Record<Exclude<Datatype, 'FP16'>, string[]> = {
  BOOL: ['true', 'false'],
  UINT8: ['0', '255'],
  UINT16: ['0', '65535'],
  UINT32: ['0', '4294967295'],
  UINT64: ['0', '9007199254740993', '18446744073709551615'],
  INT8: ['-128', '127'],
  INT16: ['-32768', '32767'],
  INT32: ['-2147483648', '2147483647'],
  INT64: ['-9223372036854775808', '-9007199254740993', '-1', '0', '9007199254740993', '9223372036854775807'],
  FP32: ['-1.5', '0.25', '16777216'],
  FP64: ['-0.1', '5e-324', '1.7976931348623157e+308'],
  BYTES: ['"ä\\n\\"{"', '""', '"[1]"'],
};

for (const [datatype, elements] of Object.entries(ELEMENTS)) {
  test(`${datatype} survives a round trip from JSON to a tensor, digit for digit`, () => {
    const data = `[${elements.join(',')}]`;
    const request = decode(withData(datatype, `[${elements.length}]`, data));
    const reply = oipJson.encodeReply(exampleReply({ outputs: request.inputs }));
    assert.ok(reply.toString().includes(`"data":${data}`), reply.toString());
  });
}

test('a complete body is read', () => {
  const request = decode(`{"id":"7","model_name":"m","model_version":"3","parameters":{"a":1,"b":"c"},
    "inputs":[{"name":"x","datatype":"fp32","shape":[2,1],"data":[[1],[2]]}],"outputs":[{"name":"y"},{"name":"z"}]}`);
  assert.deepEqual(request, {
    id: '7',
    model: 'm',
    modelVersion: '3',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 1], data: encodeElements('FP32', [1, 2], 'x') }],
    outputs: ['y', 'z'],
    parameters: { a: '1', b: 'c' },
    deadline: null,
  });
});

test('omitted fields are empty, and the model is that of the topic', () => {
  const expected = {
    id: '',
    model: 'digits',
    modelVersion: null,
    inputs: [],
    outputs: [],
    parameters: {},
    deadline: null,
  };
  assert.deepEqual(decode('{"inputs":[]}'), expected);
});

test('nested and flat data result in the same tensor', () => {
  fc.assert(
    fc.property(
      fc.nat(4),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer(), { minLength: 16, maxLength: 16 }),
      (rows, columns, values) => {
        const flat = values.slice(0, rows * columns);
        const nested = Array.from({ length: rows }, (_, row) =>
          flat.slice(row * columns, (row + 1) * columns),
        );
        const [one, other] = [flat, nested].map((data) =>
          decode(withData('INT32', `[${rows},${columns}]`, JSON.stringify(data))),
        );
        assert.deepEqual(one, other);
      },
    ),
  );
});

test('a reply is encoded as a body of the protocol', () => {
  const reply = oipJson.encodeReply(exampleReply());
  assert.deepEqual(JSON.parse(reply.toString()), {
    model_name: 'digits',
    model_version: '1',
    id: 'r-1',
    outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: [1, -2] }],
  });
  assert.ok(!oipJson.encodeReply(exampleReply({ modelVersion: null })).includes('model_version'));
});

test('NaN and infinities are bare tokens in a reply', () => {
  const data = encodeElements('FP32', [NaN, Infinity, -Infinity], 'x');
  const reply = oipJson.encodeReply(exampleReply({ outputs: [exampleTensor({ shape: [3], data })] }));
  assert.ok(reply.includes('"data":[NaN,Infinity,-Infinity]'), reply.toString());
});

test('an error reply contains the id and the message', () => {
  const reply = exampleReply({
    outputs: [],
    error: { code: 'INTERNAL', message: 'broken "x"', retryable: true },
  });
  assert.deepEqual(JSON.parse(oipJson.encodeReply(reply).toString()), { id: 'r-1', error: 'broken "x"' });
});

test('an invalid body is refused with a specific code, naming field, expected and actual value', () => {
  const cases: [string, ErrorCode, string | RegExp][] = [
    ['{', 'DECODE_FAILED', /JSON/],
    ['{"inputs": NaN}', 'DECODE_FAILED', /JSON/],
    ['{"inputs":[{"datatype":"INT64"', 'DECODE_FAILED', /./],
    ['[]', 'INVALID_REQUEST', 'the body: expected an object, got an array'],
    ['{}', 'INVALID_REQUEST', 'inputs: expected an array, got nothing'],
    ['{"inputs":null}', 'INVALID_REQUEST', 'inputs: expected an array, got null'],
    ['{"inputs":[3]}', 'INVALID_REQUEST', 'inputs[0]: expected an object, got a number'],
    ['{"inputs":[],"id":7}', 'INVALID_REQUEST', 'id: expected a string, got a number'],
    ['{"inputs":[],"model_name":7}', 'INVALID_REQUEST', 'model_name: expected a string, got a number'],
    ['{"inputs":[],"model_version":1}', 'INVALID_REQUEST', 'model_version: expected a string, got a number'],
    ['{"inputs":[],"outputs":{}}', 'INVALID_REQUEST', 'outputs: expected an array, got an object'],
    ['{"inputs":[],"outputs":[{}]}', 'INVALID_REQUEST', 'outputs[0].name: expected a string, got nothing'],
    ['{"inputs":[],"parameters":[]}', 'INVALID_REQUEST', 'parameters: expected an object, got an array'],
    [withInput('{}'), 'INVALID_REQUEST', 'inputs[0].name: expected a string, got nothing'],
    [withInput('{"name":"x"}'), 'INVALID_REQUEST', "datatype of input 'x': expected a string, got nothing"],
    [
      withData('FLOAT', '[1]', '[1]'),
      'DATATYPE_MISMATCH',
      /^input 'x': expected a datatype of BOOL, .*BYTES, got 'FLOAT'$/,
    ],
    [withData('FP16', '[1]', '[1]'), 'DATATYPE_MISMATCH', /FP16/],
    [
      withData('FP32', '"1"', '[1]'),
      'INVALID_REQUEST',
      "shape of input 'x': expected an array, got a string",
    ],
    [
      withData('FP32', '[-1]', '[1]'),
      'INVALID_REQUEST',
      "input 'x': expected a shape of whole numbers, got -1",
    ],
    [
      withData('FP32', '[1.5]', '[1]'),
      'INVALID_REQUEST',
      "input 'x': expected a shape of whole numbers, got 1.5",
    ],
    [
      withData('INT64', '[1e30]', '[1]'),
      'INVALID_REQUEST',
      /^input 'x': expected a shape of whole numbers, got 1/,
    ],
    [withData('FP32', '[1]', 'null'), 'INVALID_REQUEST', "data of input 'x': expected an array, got null"],
    [
      withData('FP32', '[2,2]', '[1,2,3]'),
      'SHAPE_MISMATCH',
      "input 'x': expected 4 elements for shape [2,2], got 3",
    ],
    [withData('INT8', '[2]', '[1,200]'), 'DATATYPE_MISMATCH', "input 'x', element 1: expected INT8, got 200"],
    [
      withData('FP32', '[1]', '[{"toString":1}]'),
      'DATATYPE_MISMATCH',
      /^input 'x', element 0: expected FP32, got /,
    ],
  ];
  const deep = (depth: number, element: string): string => '['.repeat(depth) + element + ']'.repeat(depth);
  cases.push(
    ['', 'DECODE_FAILED', 'the body: expected JSON, got nothing'],
    [' \n', 'DECODE_FAILED', 'the body: expected JSON, got blank text'],
    [
      Buffer.from('{}', 'utf16le').toString('latin1'),
      'DECODE_FAILED',
      'the body: expected JSON, got text with zero bytes, as in UTF-16',
    ],
    [withData('FP64', '[1,1]', '[1e400]'), 'DATATYPE_MISMATCH', /FP64, got a number out of range$/],
    [withData('FP64', '[1]', `[-1${'0'.repeat(400)}]`), 'DATATYPE_MISMATCH', /out of range$/],
    [withData('fp32', '[1]', '[1e39]'), 'DATATYPE_MISMATCH', /FP32, got 1e\+39, which is out of range$/],
    [
      withData('FP64', '[1,1]', deep(100_000, '1')),
      'INVALID_REQUEST',
      "data of input 'x': expected lists nested at most 64 deep, got more",
    ],
    [
      withData('INT64', '[1,1]', deep(100_000, '1')),
      'DECODE_FAILED',
      'the body: expected JSON, got arrays or objects nested too deeply',
    ],
    [
      withData('FP32', '[{"toString":1}]', '[1]'),
      'INVALID_REQUEST',
      "input 'x': expected a shape of whole numbers, got an object",
    ],
    [withData('INT32', '[1]', '["1"]'), 'DATATYPE_MISMATCH', "input 'x', element 0: expected INT32, got '1'"],
    [
      withData('INT32', '[1]', '[null]'),
      'DATATYPE_MISMATCH',
      "input 'x', element 0: expected INT32, got null",
    ],
    [
      '{"inputs":[],"parameters":{"a":{"toString":1}}}',
      'INVALID_REQUEST',
      'parameters.a: expected text, a number or a boolean, got an object',
    ],
    [
      '{"inputs":[],"parameters":{"a":[]}}',
      'INVALID_REQUEST',
      'parameters.a: expected text, a number or a boolean, got an array',
    ],
  );
  for (const [body, code, message] of cases) assert.throws(() => decode(body), { code, message }, body);
});

test('text that is not UTF-8 is refused rather than altered', () => {
  const body = Buffer.from(withData('BYTES', '[1]', '["?"]'));
  body[body.indexOf('?')] = 0xff;
  assert.throws(() => oipJson.decodeRequest(body, 'digits'), { code: 'DECODE_FAILED', message: /UTF-8/ });
});

test('64-bit integers keep every digit', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { minLength: 1 }), (values) => {
      const [input] = decode(withData('INT64', `[${values.length}]`, `[${values.join(',')}]`)).inputs;
      assert.deepEqual(input && decodeElements('INT64', input.data), values);
    }),
  );
});

test('the parameter deadline is read as a deadline in milliseconds, and nothing else is', () => {
  const request = (deadline: unknown): number | null =>
    oipJson.decodeRequest(Buffer.from(JSON.stringify({ inputs: [], parameters: { deadline } })), 'm')
      .deadline;
  assert.equal(request(1_700_000_000_000), 1_700_000_000_000);
  assert.equal(request(null), null);
  for (const wrong of ['soon', 1.5, true, {}])
    assert.throws(() => request(wrong), {
      code: 'INVALID_REQUEST',
      message: /^parameters\.deadline: expected milliseconds since the epoch, got /,
    });
});

const BYTES = Buffer.from([0x00, 0xff, 0x80]);

test('an output with bytes that are not text is declared and encoded as base64; others stay text', () => {
  const bytes = {
    name: 'b',
    datatype: 'BYTES',
    shape: [2],
    data: encodeElements('BYTES', [BYTES, 'a'], 'b'),
  };
  const text = { name: 't', datatype: 'BYTES', shape: [1], data: encodeElements('BYTES', ['ä'], 't') };
  const body = JSON.parse(oipJson.encodeReply(exampleReply({ outputs: [bytes, text] })).toString()) as {
    outputs: unknown;
  };
  assert.deepEqual(body.outputs, [
    {
      name: 'b',
      datatype: 'BYTES',
      shape: [2],
      parameters: { content_type: 'base64' },
      data: [BYTES.toString('base64'), Buffer.from('a').toString('base64')],
    },
    { name: 't', datatype: 'BYTES', shape: [1], data: ['ä'] },
  ]);
});

test('an input that declares base64 is decoded, including nested lists and missing padding', () => {
  const input = (data: string): string =>
    withInput(
      `{"name":"x","datatype":"BYTES","shape":[2,1],"parameters":{"content_type":"base64"},"data":${data}}`,
    );
  const expected = encodeElements('BYTES', [BYTES, 'a'], 'x');
  for (const data of ['["AP+A","YQ=="]', '[["AP+A"],["YQ"]]', '["AP+A","YQ"]'])
    assert.deepEqual(decode(input(data)).inputs[0]?.data, expected, data);
  for (const wrong of ['"ä"', '"YQ="', '"Y"', '"a b="', '1', 'null'])
    assert.throws(() => decode(input(`["AP+A",${wrong}]`)), {
      code: 'DATATYPE_MISMATCH',
      message: `input 'x', element 1: expected base64, got ${wrong.replaceAll('"', "'")}`,
    });
});

test('base64 is allowed for BYTES only, and other content types are ignored', () => {
  const input = (datatype: string, type: string, data: string): string =>
    withInput(
      `{"name":"x","datatype":"${datatype}","shape":[1],"parameters":{"content_type":"${type}"},"data":[${data}]}`,
    );
  assert.throws(() => decode(input('INT32', 'base64', '1')), {
    code: 'DATATYPE_MISMATCH',
    message: "input 'x': expected BYTES with content_type base64, got INT32",
  });
  assert.deepEqual(
    decode(input('BYTES', 'str', '"YQ=="')).inputs[0]?.data,
    encodeElements('BYTES', ['YQ=='], 'x'),
  );
});

test('optional fields that are null are treated as omitted', () => {
  const input = '{"name":"x","datatype":"FP32","shape":[1],"data":[1],"parameters":null}';
  const nulls = ['id', 'model_name', 'model_version', 'outputs', 'parameters'].map(
    (name) => `"${name}":null`,
  );
  const expected = decode(withInput(input));
  for (const some of [...nulls.map((one) => [one]), nulls])
    assert.deepEqual(decode(`{${some.join(',')},"inputs":[${input}]}`), expected, some.join());
  const parameters = decode('{"inputs":[],"parameters":{"a":null,"b":true,"c":""}}').parameters;
  assert.deepEqual(parameters, { b: 'true', c: '' });
});

test('data may be nested as deeply as any tensor, but not more deeply', () => {
  const nested = (depth: number): string => '['.repeat(depth) + '1' + ']'.repeat(depth);
  assert.equal(decode(withData('FP32', '[1]', nested(64))).inputs.length, 1);
  assert.throws(() => decode(withData('FP32', '[1]', nested(65))), { code: 'INVALID_REQUEST' });
});

test('the last value of a repeated name counts, with either parser', () => {
  for (const datatype of ['FP32', 'INT64'])
    assert.equal(decode(`{"id":"a","id":"b",${withData(datatype, '[1]', '[1]').slice(1)}`).id, 'b');
});

test('a byte order mark before a body is ignored', () => {
  const body = `\ufeff${withData('FP32', '[1]', '[1]')}`;
  assert.deepEqual(decode(body), decode(body.slice(1)));
});
