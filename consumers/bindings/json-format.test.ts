import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonFormat, enrichedJson, predictionJson } from './json-format.js';
import type { Prediction } from './predictions.js';

const PREDICTIONS: readonly Prediction[] = (
  [
    ['cultivar', 'string', 0],
    ['odds', 'double', 1],
    ['id', 'long', 0],
  ] as const
).map(([name, type, depth]) => ({ name, type, depth, read: () => null }));
const enriched = new JsonFormat(enrichedJson(PREDICTIONS), false);
const predicted = new JsonFormat(predictionJson(PREDICTIONS), false);
const ADDED = { cultivar: 'first', odds: [0.5, NaN], id: 2n ** 60n };
const resultOf = (text: string, format = enriched): string =>
  format.read(Buffer.from(text)).result(ADDED).value.toString();

test('an enriched record keeps its text to the last digit, followed by the fields', () => {
  const added = '"cultivar":"first","odds":[0.5,null],"id":1152921504606846976}';
  assert.equal(resultOf('{"a": 12345678901234567890.10}'), `{"a": 12345678901234567890.10,${added}`);
  assert.equal(resultOf(' { } \n'), ` { ${added} \n`);
  assert.equal(resultOf('{"a":{"b":"}"}}'), `{"a":{"b":"}"},${added}`);
});

test('predictions alone are a record of their own', () => {
  assert.equal(
    resultOf('{"a":1}', predicted),
    '{"cultivar":"first","odds":[0.5,null],"id":1152921504606846976}',
  );
});

test('a schema id before the text is kept for enriched records only', () => {
  const frame = Buffer.from([0, 0, 0, 0, 7]);
  const value = Buffer.concat([frame, Buffer.from('{"a":1}')]);
  const record = enriched.read(value);
  assert.deepEqual(record.fields, { a: 1 });
  const result = record.result(ADDED);
  assert.deepEqual(result.value.subarray(0, 5), frame);
  assert.match(result.value.toString('utf8', 5), /^\{"a":1,"cultivar":/);
  assert.deepEqual(result.headers, {}, 'a GUID in the headers stays, too');
  const alone = predicted.read(value).result(ADDED);
  assert.match(alone.value.toString(), /^\{"cultivar":/);
  assert.deepEqual(alone.headers, { __value_schema_id: undefined });
});

test("Connect's envelope is kept, with an extended payload and schema", () => {
  const odds = { field: 'odds', type: 'array', optional: true, items: { type: 'double', optional: true } };
  const fields = [
    { field: 'cultivar', type: 'string', optional: true },
    odds,
    { field: 'id', type: 'int64', optional: true },
  ];
  const values = { cultivar: 'first', odds: [0.5, null], id: 1152921504606847000 };
  const t = { field: 't', type: 'double' };
  const schema = { type: 'struct', fields: [t], name: 'a "}]" name' };
  const cases: [object, object][] = [
    [
      { schema, payload: { t: 1 } },
      { schema: { ...schema, fields: [t, ...fields] }, payload: { t: 1, ...values } },
    ],
    [
      { payload: {}, schema: null },
      { payload: values, schema: null },
    ],
    [
      { payload: { t: { schema: 1 } }, schema: { fields: [], type: 'struct' } },
      { payload: { t: { schema: 1 }, ...values }, schema: { fields, type: 'struct' } },
    ],
  ];
  for (const [source, expected] of cases)
    for (const indent of [undefined, 2])
      assert.deepEqual(JSON.parse(resultOf(JSON.stringify(source, null, indent))), expected);
  const digits = '{"schema":null,"payload":{"t":12345678901234567890.10}}';
  assert.match(resultOf(digits), /"payload":\{"t":12345678901234567890\.10,"cultivar"/);
  assert.deepEqual(JSON.parse(resultOf(JSON.stringify(cases[0]?.[0]), predicted)), {
    schema: { type: 'struct', optional: false, fields },
    payload: values,
  });
  const taken = JSON.stringify({ schema: null, payload: { id: 1 } });
  assert.throws(() => resultOf(taken), { code: 'INVALID_REQUEST', message: /field 'id'/ });
});

test('a record that only resembles an envelope is treated as a record', () => {
  for (const other of [
    { schema: 'x', payload: {} },
    { schema: null, payload: 1 },
    { schema: null, payload: {}, a: 1 },
  ]) {
    const result = JSON.parse(resultOf(JSON.stringify(other))) as object;
    assert.deepEqual(Object.keys(result), [...Object.keys(other), 'cultivar', 'odds', 'id']);
  }
});

test('large whole numbers are exact if the model takes them', () => {
  const text = Buffer.from('{"a":9007199254740993}');
  assert.deepEqual(
    { ...new JsonFormat(enrichedJson(PREDICTIONS), true).read(text).fields },
    { a: 9007199254740993n },
  );
});

test('a value that is not an object, or already has such a field, is refused', () => {
  assert.throws(() => enriched.read(Buffer.from('[1]')), {
    code: 'DECODE_FAILED',
    message: /a JSON object, got an array/,
  });
  assert.throws(() => enriched.read(Buffer.from('{')), { code: 'DECODE_FAILED', message: /expected JSON/ });
  assert.throws(() => enriched.read(Buffer.from([0x7b, 0xff])), { code: 'DECODE_FAILED', message: /UTF-8/ });
  assert.throws(() => resultOf('{"cultivar":1}'), { code: 'INVALID_REQUEST', message: /field 'cultivar'/ });
});
