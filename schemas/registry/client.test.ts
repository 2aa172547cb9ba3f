import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SchemaRegistry, type RegistryErrorKind } from './client.js';
import { fetchSchema } from './fetch-schema.js';
import { TestRegistry } from '../../testing/registry.js';

const SCHEMA = { type: 'record', name: 'R', fields: [] };

async function started(context: TestContext): Promise<TestRegistry> {
  const server = await TestRegistry.start();
  context.after(() => server.close());
  return server;
}

test('schemas are fetched by id, by GUID and by the version of a subject', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(`${server.url}/`);
  server.has(7, SCHEMA);
  server.has('00000000-0000-0000-0000-000000000007', SCHEMA, { schemaType: 'AVRO' });
  server.tell('GET', '/subjects/a%2Fb/versions/2?deleted=true', {
    schema: '"int"',
    id: 1,
    version: 2,
    subject: 'a/b',
  });
  const schema = JSON.stringify(SCHEMA);
  assert.deepEqual(await registry.schemaById(7), { schema });
  assert.equal((await registry.schemaByGuid('00000000-0000-0000-0000-000000000007')).schema, schema);
  assert.equal((await registry.referenced({ name: 'r', subject: 'a/b', version: 2 })).schema, '"int"');
});

test('a schema is registered and then found with its id, version and GUID', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  server.tell('POST', '/subjects/s-value/versions', { id: 3 });
  server.tell('POST', '/subjects/s-value', { subject: 's-value', id: 3, version: 1, guid: 'g' });
  server.tell('PUT', '/config/s-value', { compatibility: 'FULL_TRANSITIVE' });
  const { id, version, guid } = await registry.register('s-value', SCHEMA as never);
  assert.deepEqual([id, version, guid], [3, 1, 'g']);
  await registry.setCompatibility('s-value', 'FULL_TRANSITIVE');
  assert.deepEqual(
    server.requests.map(({ method, path, body }) => [method, path, body]),
    [
      ['POST', '/subjects/s-value/versions', { schema: JSON.stringify(SCHEMA) }],
      ['POST', '/subjects/s-value', { schema: JSON.stringify(SCHEMA) }],
      ['PUT', '/config/s-value', { compatibility: 'FULL_TRANSITIVE' }],
    ],
  );
});

test('credentials are sent with every request and never appear in messages', async (context) => {
  const server = await started(context);
  const withUser = server.url.replace('//', '//me:p%40ss@');
  for (const registry of [new SchemaRegistry(withUser), new SchemaRegistry(server.url, 'me:p@ss')]) {
    assert.equal(registry.address, server.url);
    await assert.rejects(registry.schemaById(1), (error: Error) => !error.message.includes('p@ss'));
  }
  const expected = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  assert.deepEqual(
    server.requests.map(({ authorization }) => authorization),
    [expected, expected],
  );
});

test('an error distinguishes unknown, refused and unavailable', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  const cases: [number, unknown, RegistryErrorKind][] = [
    [404, { error_code: 40403, message: 'Schema 7 not found' }, 'unknown'],
    [404, { error_code: 40401, message: 'Subject not found' }, 'unknown'],
    [404, { error_code: 404, message: 'HTTP 404 Not Found' }, 'unavailable'],
    [404, '<html>', 'unavailable'],
    [409, { error_code: 409, message: 'incompatible' }, 'refused'],
    [422, { error_code: 42201, message: 'invalid' }, 'refused'],
    [401, { error_code: 401, message: 'Unauthorized' }, 'unavailable'],
    [403, '', 'unavailable'],
    [429, '', 'unavailable'],
    [500, { error_code: 50001, message: 'store' }, 'unavailable'],
    [503, '', 'unavailable'],
    [200, 'no JSON', 'unavailable'],
    [200, '<html>Sign in</html>', 'unavailable'],
    [200, { status: 'UP' }, 'unavailable'],
    [200, [], 'unavailable'],
    [204, '', 'unavailable'],
  ];
  for (const [status, body, kind] of cases) {
    server.tell('GET', '/schemas/ids/7', body, status);
    await assert.rejects(registry.schemaById(7), { name: 'RegistryError', kind }, `${status} is ${kind}`);
  }
  server.answers.delete('GET /schemas/ids/7');
  const message = `GET ${server.url}/schemas/ids/7 returned 404 (Schema not found)`;
  await assert.rejects(registry.schemaById(7), { message });
});

test('a registry without GUIDs reports them as unknown; without a registry the error is unavailable', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  server.tell('GET', '/schemas/guids/g', '', 404);
  server.tell('GET', '/schemas/types', ['AVRO']);
  await assert.rejects(registry.schemaByGuid('g'), { kind: 'unknown' });
  server.tell('GET', '/schemas/types', '', 404);
  await assert.rejects(registry.schemaByGuid('g'), { kind: 'unavailable' });
});

test('a registry that does not answer is unavailable after the time limit, an unreachable one at once', async (context) => {
  const server = await started(context);
  const silent = new SchemaRegistry(server.url, undefined, 50);
  server.answers.set('GET /schemas/ids/7', undefined);
  await assert.rejects(silent.schemaById(7), {
    kind: 'unavailable',
    message: /cannot be reached: .*timeout/,
  });
  await assert.rejects(new SchemaRegistry('http://127.0.0.1:1').schemaById(7), {
    kind: 'unavailable',
    message: /^the schema registry http:\/\/127\.0\.0\.1:1 cannot be reached: .+/,
  });
});

test('closing aborts pending requests', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  server.answers.set('GET /schemas/ids/7', undefined);
  const asked = assert.rejects(registry.schemaById(7), { kind: 'unavailable' });
  registry.close();
  await asked;
});

test('responses must have the form of a registry response; those of other services are rejected', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  const asks: [string, () => Promise<unknown>][] = [
    ['GET /schemas/ids/1', () => registry.schemaById(1)],
    ['GET /schemas/guids/g', () => registry.schemaByGuid('g')],
    ['GET /schemas/types', () => registry.probe()],
    ['GET /subjects', () => registry.subjects()],
    ['GET /subjects/s/versions', () => registry.ids('s')],
    [
      'GET /subjects/s/versions/1?deleted=true',
      () => registry.referenced({ name: 'n', subject: 's', version: 1 }),
    ],
    ['POST /subjects/s', () => registry.find('s', SCHEMA as never)],
    ['POST /subjects/s', () => registry.membership('s', '"int"')],
    ['POST /subjects/s/versions', () => registry.register('s', SCHEMA as never)],
  ];
  for (const [asked, ask] of asks) {
    for (const body of [{ status: 'UP' }, '<html>', '"text"', 'null']) {
      server.answers.set(asked, { status: 200, body });
      await assert.rejects(
        ask(),
        { kind: 'unavailable', message: /returned 200 with an unexpected body/ },
        asked,
      );
    }
  }
});

test('a schema of a soft-deleted version still belongs to its subject', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  const unknown = { error_code: 40403, message: 'Schema not found' };
  const membership = (): Promise<unknown> => registry.membership('s', '"int"');
  server.tell('POST', '/subjects/s', { error_code: 40401, message: 'Subject not found' }, 404);
  assert.equal(await membership(), undefined);
  server.tell('POST', '/subjects/s', unknown, 404);
  assert.equal(await membership(), 'none');
  server.tell('POST', '/subjects/s?deleted=true', { subject: 's', version: 1, id: 1 });
  assert.equal(await membership(), 'deleted');
  server.tell('POST', '/subjects/s', { subject: 's', version: 1, id: 1 });
  assert.equal(await membership(), 'live');
});

test('with several addresses, the next one is used when one is unavailable, and kept', async (context) => {
  const [server, other] = [await started(context), await started(context)];
  for (const one of [server, other]) one.has(7, SCHEMA);
  const registry = new SchemaRegistry(
    `http://127.0.0.1:1, ${server.url.replace('//', '//me:pw@')}/ ,${other.url}`,
  );
  assert.equal(registry.address, `http://127.0.0.1:1,${server.url},${other.url}`);
  await registry.schemaById(7);
  await registry.schemaById(7);
  assert.deepEqual([server.requests.length, other.requests.length], [2, 0]);
  assert.equal(server.requests[0]?.authorization, `Basic ${Buffer.from('me:pw').toString('base64')}`);
  server.tell('GET', '/schemas/ids/7', '<html>502 Bad Gateway</html>', 502);
  await registry.schemaById(7);
  assert.deepEqual([server.requests.length, other.requests.length], [3, 1]);
  assert.equal(other.requests[0]?.authorization, undefined);
  other.tell('GET', '/schemas/ids/7', { error_code: 40403, message: 'Schema 7 not found' }, 404);
  await assert.rejects(registry.schemaById(7), { kind: 'unknown' });
  other.tell('GET', '/schemas/ids/7', '', 503);
  await assert.rejects(registry.schemaById(7), { kind: 'unavailable' });
  assert.equal(server.requests.length, 4, 'each address was asked once');
});

test('a password with a percent sign that is not an escape is used literally', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url.replace('//', '//user:100%@'));
  server.has(7, SCHEMA);
  await registry.schemaById(7);
  assert.equal(server.requests[0]?.authorization, `Basic ${Buffer.from('user:100%').toString('base64')}`);
});

test('response fields that are null are treated as omitted', async (context) => {
  const server = await started(context);
  server.has(7, SCHEMA, { schemaType: null, references: null, guid: null });
  const fetched = await fetchSchema(new SchemaRegistry(server.url), 7);
  assert.deepEqual([fetched.schema, fetched.references], [SCHEMA, []]);
});
