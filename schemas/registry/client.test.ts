import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SchemaRegistry, type RegistryErrorKind } from './client.js';
import { TestRegistry } from './test-registry.js';

const SCHEMA = { type: 'record', name: 'R', fields: [] };

async function started(context: TestContext): Promise<TestRegistry> {
  const server = await TestRegistry.start();
  context.after(() => server.close());
  return server;
}

test('schemas are had by id, by GUID and by the version of a subject', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(`${server.url}/`);
  server.has(7, SCHEMA);
  server.has('00000000-0000-0000-0000-000000000007', SCHEMA, { schemaType: 'AVRO' });
  server.tell('GET', '/subjects/a%2Fb/versions/2', { schema: '"int"', id: 1, version: 2, subject: 'a/b' });
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

test('who we are is said in every request, and never in a message', async (context) => {
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

test('an error says whether the registry does not know, will not, or is away', async (context) => {
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
  ];
  for (const [status, body, kind] of cases) {
    server.tell('GET', '/schemas/ids/7', body, status);
    await assert.rejects(registry.schemaById(7), { name: 'RegistryError', kind }, `${status} is ${kind}`);
  }
  server.answers.delete('GET /schemas/ids/7');
  const message = `GET ${server.url}/schemas/ids/7 was answered with 404 (Schema not found)`;
  await assert.rejects(registry.schemaById(7), { message });
});

test('a registry that has no GUIDs does not know them; where there is no registry, it is away', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  server.tell('GET', '/schemas/guids/g', '', 404);
  server.tell('GET', '/schemas/types', ['AVRO']);
  await assert.rejects(registry.schemaByGuid('g'), { kind: 'unknown' });
  server.tell('GET', '/schemas/types', '', 404);
  await assert.rejects(registry.schemaByGuid('g'), { kind: 'unavailable' });
});

test('a registry that does not answer is away after the time limit, one that is not there at once', async (context) => {
  const server = await started(context);
  const silent = new SchemaRegistry(server.url, undefined, 50);
  server.answers.set('GET /schemas/ids/7', undefined);
  await assert.rejects(silent.schemaById(7), { kind: 'unavailable', message: /can't be reached: .*timeout/ });
  await assert.rejects(new SchemaRegistry('http://127.0.0.1:1').schemaById(7), {
    kind: 'unavailable',
    message: /^the schema registry http:\/\/127\.0\.0\.1:1 can't be reached: .+/,
  });
});

test('closing ends what is under way', async (context) => {
  const server = await started(context);
  const registry = new SchemaRegistry(server.url);
  server.answers.set('GET /schemas/ids/7', undefined);
  const asked = assert.rejects(registry.schemaById(7), { kind: 'unavailable' });
  registry.close();
  await asked;
});
