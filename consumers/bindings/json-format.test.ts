import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonFormat, enrichedJson, predictionJson } from './json-format.js';

const enriched = new JsonFormat(enrichedJson, false);
const ADDED = { cultivar: 'first', odds: [0.5, NaN], id: 2n ** 60n };
const resultOf = (text: string, format = enriched): string =>
  format.read(Buffer.from(text)).result(ADDED).value.toString();

test('an enriched record keeps its text to the last digit, and has the fields at its end', () => {
  const added = '"cultivar":"first","odds":[0.5,null],"id":1152921504606846976}';
  assert.equal(resultOf('{"a": 12345678901234567890.10}'), `{"a": 12345678901234567890.10,${added}`);
  assert.equal(resultOf(' { } \n'), ` { ${added}`);
  assert.equal(resultOf('{"a":{"b":"}"}}'), `{"a":{"b":"}"},${added}`);
});

test('a prediction alone is a record of its own', () => {
  assert.equal(
    resultOf('{"a":1}', new JsonFormat(predictionJson, false)),
    '{"cultivar":"first","odds":[0.5,null],"id":1152921504606846976}',
  );
});

test('the id of a schema before the text is left out', () => {
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from('{"a":1}')]);
  const record = enriched.read(value);
  assert.deepEqual(record.fields, { a: 1 });
  assert.match(record.result(ADDED).value.toString(), /^\{"a":1,/);
});

test('large whole numbers are exact where the model takes such', () => {
  const text = Buffer.from('{"a":9007199254740993}');
  assert.deepEqual({ ...new JsonFormat(enrichedJson, true).read(text).fields }, { a: 9007199254740993n });
});

test('what is no object, or has such a field already, is refused', () => {
  assert.throws(() => enriched.read(Buffer.from('[1]')), {
    code: 'DECODE_FAILED',
    message: /a JSON object, got an array/,
  });
  assert.throws(() => enriched.read(Buffer.from('{')), { code: 'DECODE_FAILED', message: /expected JSON/ });
  assert.throws(() => enriched.read(Buffer.from([0x7b, 0xff])), { code: 'DECODE_FAILED', message: /UTF-8/ });
  assert.throws(() => resultOf('{"cultivar":1}'), { code: 'INVALID_REQUEST', message: /field 'cultivar'/ });
});
