import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { topicNames } from '../../cluster/topics.js';
import { replyCodec, requestCodec } from '../../schemas/codecs.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../schemas/registry/self-contained.js';
import { TestRegistry } from '../../testing/registry.js';
import { exampleReply, exampleRequest, plain } from '../../testing/requests.js';
import { RegisteredSchemas } from './registered-schemas.js';
import { silent } from '../../testing/records.js';

const GUID = '01234567-89ab-cdef-0123-456789abcdef';
const REPLY_GUID = 'fedcba98-7654-3210-fedc-ba9876543210';
const REPLIES = '/subjects/p.digits.replies-value';
const REQUESTS = '/subjects/p.digits.requests-value';
const bare = requestCodec.encode(exampleRequest(), Buffer.alloc(0));
const withId = (id: number): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeInt32BE(id, 1);
  return requestCodec.encode(exampleRequest(), prefix);
};
const guidHeader = (guid: string): RecordHeaders => ({
  __value_schema_id: Buffer.from(`01${guid.replaceAll('-', '')}`, 'hex'),
});

async function started(context: TestContext, autoRegister = false) {
  const server = await TestRegistry.start();
  server.has(7, REQUEST_SCHEMA as object);
  server.has(GUID, REQUEST_SCHEMA as object);
  const schemas = new RegisteredSchemas(new SchemaRegistry(server.url), {
    topics: topicNames('p'),
    autoRegister,
    log: silent,
    backoff: { firstMs: 1, maxMs: 5 },
  });
  context.after(async () => {
    schemas.close();
    await server.close();
  });
  const framingOf = async (value: Buffer, headers: RecordHeaders = {}) => {
    await schemas.lookUp(value, headers, 'digits');
    assert.equal(schemas.lookUp(value, headers, 'digits'), undefined);
    return schemas.framingOf(value, headers, 'digits');
  };
  return { server, schemas, framingOf };
}

test('a request with a schema id is answered with one, and each schema is fetched once', async (context) => {
  const { server, framingOf } = await started(context);
  server.tell('POST', REPLIES, { id: 258, version: 1 });
  for (let time = 0; time < 3; time++) {
    const framing = await framingOf(withId(7));
    assert.deepEqual(
      plain(framing.decodeRequest(withId(7), 'digits', { key: null, headers: {} })),
      exampleRequest(),
    );
    assert.equal(framing.encodeReply(exampleReply()).toString('hex', 0, 5), '0000000102');
  }
  assert.deepEqual(server.requests.map(({ path }) => path).sort(), ['/schemas/ids/7', REPLIES]);
  const asked = server.requests.find(({ path }) => path === REPLIES);
  assert.deepEqual(asked?.body, { schema: JSON.stringify(REPLY_SCHEMA) });
});

test('a request with a GUID is answered with one', async (context) => {
  const { server, framingOf } = await started(context);
  server.tell('POST', REPLIES, { id: 258, version: 1, guid: REPLY_GUID });
  const framing = await framingOf(bare, guidHeader(GUID));
  assert.deepEqual(
    plain(framing.decodeRequest(bare, 'digits', { key: null, headers: {} })),
    exampleRequest(),
  );
  assert.deepEqual(framing.headers, guidHeader(REPLY_GUID));
  assert.deepEqual(plain(replyCodec.decode(framing.encodeReply(exampleReply()))), exampleReply());
});

test("an unreadable schema is refused with its id and the registry's address", async (context) => {
  const { server, framingOf } = await started(context);
  server.tell('POST', REPLIES, { id: 258, version: 1 });
  server.has(8, { type: 'object' }, { schemaType: 'JSON' });
  const refuse = async (
    value: Buffer,
    headers: RecordHeaders,
    message: RegExp,
    code = 'DECODE_FAILED',
  ): Promise<void> => {
    const framing = await framingOf(value, headers);
    assert.throws(() => framing.decodeRequest(value, 'digits', { key: null, headers: {} }), {
      code,
      message,
    });
  };
  await refuse(withId(9), {}, new RegExp(`^schema 9: .*${server.url}.*\\(Schema not found\\)`));
  await refuse(withId(8), {}, new RegExp(`^schema 8: .*${server.url}.*expected Avro, got JSON`));
  await refuse(bare, guidHeader(REPLY_GUID), new RegExp(`^schema ${REPLY_GUID}: .*${server.url}`));
  const noGuid = /^reply: expected a GUID .*'p\.digits\.replies-value'.*, got none/;
  await refuse(bare, guidHeader(GUID), noGuid, 'INTERNAL');
  await refuse(Buffer.alloc(3), {}, /^value: expected 00 and a schema id/);
  assert.equal((await framingOf(withId(9))).encodeReply(exampleReply()).toString('hex', 0, 5), '0000000102');
});

test('a reply whose schema is not registered is refused with the command to register it', async (context) => {
  const { framingOf } = await started(context);
  const framing = await framingOf(withId(7));
  assert.throws(() => framing.decodeRequest(withId(7), 'digits', { key: null, headers: {} }), {
    code: 'INTERNAL',
    message: /'p\.digits\.replies-value'.*`partitura schemas register digits`/,
  });
});

test('a refusal of our own schema is not a decoding failure', async (context) => {
  const { server, framingOf } = await started(context, true);
  server.tell('PUT', REQUESTS.replace('/subjects', '/config'), { compatibility: 'FULL_TRANSITIVE' });
  server.tell('POST', `${REQUESTS}/versions`, { error_code: 409, message: 'incompatible' }, 409);
  const framing = await framingOf(withId(7));
  assert.throws(() => framing.decodeRequest(withId(7), 'digits', { key: null, headers: {} }), {
    code: 'INTERNAL',
    message: /^reply: its schema cannot be registered: .*incompatible/,
  });
});

test('automatic registration registers both schemas with full compatibility', async (context) => {
  const { server, schemas, framingOf } = await started(context, true);
  for (const subject of [REQUESTS, REPLIES]) {
    server.tell('POST', `${subject}/versions`, { id: 1 });
    server.tell('POST', subject, { id: subject === REPLIES ? 2 : 1, version: 1 });
    server.tell('PUT', subject.replace('/subjects', '/config'), { compatibility: 'FULL_TRANSITIVE' });
  }
  schemas.announce('digits');
  assert.equal((await framingOf(withId(7))).encodeReply(exampleReply()).toString('hex', 0, 5), '0000000002');
  const registered = server.requests.filter(({ path }) => path.endsWith('/versions'));
  assert.deepEqual(
    registered.map(({ path, body }) => [path, body]),
    [
      [`${REQUESTS}/versions`, { schema: JSON.stringify(REQUEST_SCHEMA) }],
      [`${REPLIES}/versions`, { schema: JSON.stringify(REPLY_SCHEMA) }],
    ],
  );
});

test('an unavailable registry is waited for; known schemas keep working', async (context) => {
  const { server, schemas, framingOf } = await started(context);
  server.tell('POST', REPLIES, { id: 258, version: 1 });
  await framingOf(withId(7));
  server.tell('GET', '/schemas/ids/10', '', 503);
  let over = false;
  const lookUp = schemas.lookUp(withId(10), {}, 'digits')?.then(() => (over = true));
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(over, false);
  assert.equal(schemas.lookUp(withId(7), {}, 'digits'), undefined);
  server.has(10, REQUEST_SCHEMA as object);
  await lookUp;
  const framing = schemas.framingOf(withId(10), {}, 'digits');
  assert.deepEqual(
    plain(framing.decodeRequest(withId(10), 'digits', { key: null, headers: {} })),
    exampleRequest(),
  );
});

test('other framings and tombstones need no schema', async (context) => {
  const { server, schemas } = await started(context);
  for (const value of [null, Buffer.from('c301', 'hex'), Buffer.from('{}'), Buffer.alloc(0)])
    assert.equal(schemas.lookUp(value, {}, 'digits'), undefined);
  assert.deepEqual(server.requests, []);
});
