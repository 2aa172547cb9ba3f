import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replyCodec, requestCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import { REQUEST_SCHEMA } from '../registry/self-contained.js';
import { exampleReply, exampleRequest, plain } from '../../testing/requests.js';
import { SchemaFraming, confluent, guidReplyLabel, idReplyLabel, schemaLabel } from './confluent.js';
import { decodeReply } from './single-object.js';

const GUID = '01234567-89ab-cdef-0123-456789abcdef';
const header = (hex: string): { __value_schema_id: Buffer } => ({
  __value_schema_id: Buffer.from(hex, 'hex'),
});
const GUID_HEADER = header('010123456789abcdef0123456789abcdef');
const reader = requestCodec.readerFor(REQUEST_SCHEMA);
const refused = new PartituraError('DECODE_FAILED', 'not known');

test('a label is the id in the value or, with precedence, the GUID in the header', () => {
  const value = Buffer.from('000000012a', 'hex');
  assert.deepEqual(schemaLabel(value, {}), { key: 0x12a, start: 5 });
  assert.deepEqual(schemaLabel(value, GUID_HEADER), { key: GUID, start: 0 });
  assert.deepEqual(schemaLabel(Buffer.from('c301', 'hex'), GUID_HEADER), { key: GUID, start: 0 });
});

test('a truncated or unknown label is refused, quoting its bytes', () => {
  const got = (hex: string, headers = {}): string => {
    const label = schemaLabel(Buffer.from(hex, 'hex'), headers);
    assert.ok(label instanceof PartituraError);
    assert.equal(label.code, 'DECODE_FAILED');
    return label.message;
  };
  const id = 'value: expected 00 and a schema id of 4 bytes, got ';
  assert.equal(got('00'), `${id}00`);
  assert.equal(got('00000001'), `${id}00000001`);
  assert.equal(got('00ffffffff01'), `${id}00ffffffff`);
  const guid = 'header __value_schema_id: expected 01 and a GUID of 16 bytes, got ';
  assert.equal(got('00', header('')), `${guid}nothing`);
  assert.equal(got('00', header('0000000007')), `${guid}0000000007`);
  assert.equal(got('00', header(`02${'00'.repeat(16)}`)), `${guid}02${'00'.repeat(16)}`);
});

test('a request is read after its label and answered with the label of the reply schema', () => {
  const byId = new SchemaFraming(5, reader, idReplyLabel(258));
  const request = requestCodec.encode(exampleRequest(), Buffer.from('0000000007', 'hex'));
  assert.deepEqual(plain(byId.decodeRequest(request)), exampleRequest());
  const reply = byId.encodeReply(exampleReply());
  assert.equal(reply.toString('hex', 0, 5), '0000000102');
  assert.deepEqual(plain(replyCodec.decode(reply, 5)), exampleReply());
  assert.deepEqual(byId.headers, {});

  const byGuid = new SchemaFraming(0, reader, guidReplyLabel(GUID));
  const bare = Buffer.alloc(0);
  assert.deepEqual(
    plain(byGuid.decodeRequest(requestCodec.encode(exampleRequest(), bare))),
    exampleRequest(),
  );
  assert.deepEqual(byGuid.encodeReply(exampleReply()), replyCodec.encode(exampleReply(), bare));
  assert.deepEqual(byGuid.headers, GUID_HEADER);
});

test('a missing schema is reported where it is needed: on reading or on answering', () => {
  const unreadable = new SchemaFraming(5, refused, idReplyLabel(1));
  assert.throws(() => unreadable.decodeRequest(Buffer.alloc(9)), refused);
  assert.equal(unreadable.encodeReply(exampleReply()).toString('hex', 0, 5), '0000000001');

  const unanswerable = new SchemaFraming(5, reader, refused);
  assert.throws(
    () => unanswerable.decodeRequest(requestCodec.encode(exampleRequest(), Buffer.alloc(5))),
    refused,
  );
  assert.deepEqual(plain(decodeReply(unanswerable.encodeReply(exampleReply()))), exampleReply());
  assert.deepEqual(unanswerable.headers, {});
});

test('corrupted data is refused', () => {
  const framing = new SchemaFraming(5, reader, idReplyLabel(1));
  const request = requestCodec.encode(exampleRequest(), Buffer.alloc(5));
  for (const value of [request.subarray(0, 5), request.subarray(0, -1), Buffer.concat([request, request])])
    assert.throws(() => framing.decodeRequest(value), { code: 'DECODE_FAILED' });
});

test('without a registry nothing is read, and the message names the option to set', () => {
  assert.throws(() => confluent.decodeRequest(Buffer.alloc(9), 'digits', { key: null, headers: {} }), {
    code: 'DECODE_FAILED',
    message: /set SCHEMA_REGISTRY_URL$/,
  });
});
