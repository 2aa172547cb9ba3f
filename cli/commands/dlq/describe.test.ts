import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetter } from '../../../operations/dead-letters/dead-letter.js';
import { encodeRequest } from '../../../schemas/framing/single-object.js';
import { describeLetter, letterJson } from './describe-dead-letter.js';
import { describeValue } from './describe-value.js';

const letterOf = (
  headers: Record<string, Buffer | Buffer[]>,
  value: Buffer | null,
): ReturnType<typeof readDeadLetter> =>
  readDeadLetter({ topic: 't-dlt', partition: 0, offset: 5, key: null, value, headers, timestamp: 0 });

test('control characters escaped in JSON do not reach the terminal', () => {
  const lines = describeValue(Buffer.from(String.raw`{"a":"\u009b2J\u202e"}`)).join('\n');
  assert.match(lines, /"a": "·2J·"/);
});

test('JSON is pretty-printed, text is verbatim, other bytes are dumped', () => {
  assert.deepEqual(describeValue(Buffer.from('{"a":[1,"b\\n]"],"c":[[2,3],{}]}')), [
    'value (31 bytes, JSON)',
    '{\n  "a": [\n    1,\n    "b\\n]"\n  ],\n  "c": [\n    [2, 3],\n    {}\n  ]\n}',
  ]);
  assert.deepEqual(describeValue(Buffer.from('no JSON')), ['value (7 bytes, text)', 'no JSON']);
  assert.deepEqual(describeValue(Buffer.from('ff00414243', 'hex')), [
    'value (5 bytes)',
    '00000000  ff 00 41 42 43                                   ..ABC',
  ]);
  assert.deepEqual(describeValue(null), ['value (null)']);
  const large = describeValue(Buffer.alloc(10_000));
  assert.equal(large.at(-1), '… 9488 more bytes; --raw writes the whole value');
  assert.match(describeValue(Buffer.from('x'.repeat(100_000))).at(-1) ?? '', /^… 83616 more characters/);
});

test('an Avro request is decoded, and inconsistent tensors are reported', () => {
  const request = (data: Buffer): Buffer =>
    encodeRequest({
      id: 'r',
      model: 'sum',
      modelVersion: null,
      inputs: [{ name: 'x', datatype: 'INT64', shape: [1, 2], data }],
      outputs: [],
      parameters: {},
      deadline: null,
    });
  const lines = describeValue(request(Buffer.alloc(16, 1))).join('\n');
  assert.match(lines, /Avro InferenceRequest/);
  assert.match(lines, /"72340172838076673"/);
  assert.match(describeValue(request(Buffer.alloc(3))).join('\n'), /"unreadable": ".*multiple of 8"/);
});

test('control characters in records do not reach the terminal, and long header lists are cut', () => {
  const many = { h: Array.from({ length: 5_000 }, () => Buffer.from('\u001b[2J')) };
  const lines = describeLetter(letterOf(many, Buffer.from('\u001b[2J')), undefined);
  assert.ok(lines.length < 130);
  assert.ok(lines.includes('headers (5000)') && lines.includes('  … 4900 more; use --json to see all'));
  assert.ok(!lines.join('').includes('\u001b'));
  const { headers } = letterJson(letterOf(many, null), 'dropped') as { headers: unknown[] };
  assert.deepEqual([headers.length, headers[0]], [5_000, { name: 'h', base64: 'G1sySg==' }]);
});
