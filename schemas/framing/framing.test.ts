import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleRequest } from '../../testing/requests.js';
import { detectFraming, encodeRequest, headerBytes, headerText, type RecordHeaders } from './index.js';

const typed = (contentType: string): RecordHeaders => ({ 'content-type': Buffer.from(contentType) });

test('framings are detected in the order of the contract', () => {
  const avro = encodeRequest(exampleRequest());
  const brace = Buffer.from('{"inputs":[]}');
  const cases: [string, Buffer, RecordHeaders, string | undefined][] = [
    ['single-object mark', avro, {}, 'single-object'],
    ['single-object mark, although the headers say JSON', avro, typed('application/json'), 'single-object'],
    ['single-object mark alone', Buffer.from('c301', 'hex'), {}, 'single-object'],
    ['half of the mark', Buffer.from('c3', 'hex'), {}, undefined],
    ['brace without content type', brace, {}, 'oip-json'],
    ['brace with an empty content type', brace, typed(''), 'oip-json'],
    ['brace with the content type of JSON', brace, typed('application/json'), 'oip-json'],
    [
      'content type with a parameter and in capitals',
      brace,
      typed('Application/JSON; charset=utf-8'),
      'oip-json',
    ],
    ['no brace, but the content type of JSON', Buffer.from(' {}'), typed('application/json'), 'oip-json'],
    ['blanks before the brace, no content type', Buffer.from(' \r\n\t{}'), {}, 'oip-json'],
    ['a byte order mark before the brace, no content type', Buffer.from('\ufeff{}'), {}, 'oip-json'],
    ['half a byte order mark', Buffer.from('efbb7b7d', 'hex'), {}, undefined],
    ['blanks alone', Buffer.from(' \n'), {}, undefined],
    ['no brace, no content type', Buffer.from('x{}'), {}, undefined],
    ['brace with another content type', brace, typed('text/plain'), undefined],
    [
      'brace with a content type that begins like the one of JSON',
      brace,
      typed('application/jsonp'),
      undefined,
    ],
    ['brace with an unspecific content type', brace, typed('application/octet-stream'), 'oip-json'],
    ['content type in quotes', brace, typed('"application/json"'), 'oip-json'],
    ['content type in quotes with a parameter', brace, typed('"application/json;charset=utf-8"'), 'oip-json'],
    ['content type with a structured suffix', brace, typed('application/vnd.kserve+json'), 'oip-json'],
    ['an older content type of JSON', brace, typed('text/json'), 'oip-json'],
    [
      'an event as value, in quotes',
      brace,
      typed('"application/cloudevents+json"'),
      'cloudevents-structured',
    ],
    [
      'an event as value',
      brace,
      typed('application/cloudevents+json; charset=UTF-8'),
      'cloudevents-structured',
    ],
    [
      'an event in headers',
      brace,
      { ce_id: Buffer.from('1'), ...typed('application/json') },
      'cloudevents-binary',
    ],
    ['headers of MLServer', brace, { 'mlserver-model': Buffer.from('digits') }, 'mlserver-json'],
    ['nothing', Buffer.alloc(0), {}, undefined],
    ['Confluent wire format', Buffer.from('0000000001', 'hex'), {}, 'confluent'],
    ['its mark alone', Buffer.from('00', 'hex'), typed('application/json'), 'confluent'],
    ['GUID of a schema in a header', avro, { __value_schema_id: Buffer.alloc(17) }, 'confluent'],
  ];
  for (const [name, value, headers, expected] of cases)
    assert.equal(detectFraming(value, headers)?.name, expected, name);
});

test('the last value of a repeated header counts', () => {
  const headers = { many: [Buffer.from('one'), Buffer.from('two')], single: Buffer.from('ä'), none: [] };
  assert.deepEqual(
    ['many', 'single', 'none', 'absent'].map((name) => headerText(headers, name)),
    ['two', 'ä', undefined, undefined],
  );
  assert.equal(headerBytes(headers, 'single'), headers.single);
});

test('framings use the last value of a header, including content type and event attributes', () => {
  const repeated = (...values: string[]): Buffer[] => values.map((value) => Buffer.from(value));
  const brace = Buffer.from('{"inputs":[]}');
  const json = { 'content-type': repeated('text/plain', 'application/json') };
  assert.equal(detectFraming(brace, json)?.name, 'oip-json');
  const event = { ce_specversion: repeated('0.3', '1.0'), ce_id: repeated('outer', 'inner') };
  const attributes = { ...event, ce_source: Buffer.from('/s'), ce_type: Buffer.from('t') };
  const framing = detectFraming(brace, attributes);
  assert.equal(framing?.decodeRequest(brace, 'm', { key: null, headers: attributes }).id, 'inner');
  const model = { 'mlserver-model': repeated('outer', 'inner') };
  const mlserver = detectFraming(brace, model);
  assert.equal(mlserver?.decodeRequest(brace, 'm', { key: null, headers: model }).model, 'inner');
});
