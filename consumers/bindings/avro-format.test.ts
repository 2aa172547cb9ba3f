import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import { TestRegistry } from '../../testing/registry.js';
import { plain } from '../../testing/requests.js';
import { exampleRecord, settle } from '../../testing/records.js';
import { AvroFormat } from './avro-format.js';
import { enrichedAvro, enrichedSchema, predictionAvro, predictionSchema } from './avro-results.js';
import type { Prediction } from './predictions.js';

const SOURCE = {
  type: 'record',
  name: 'Wine',
  namespace: 'example',
  doc: 'kept',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'alcohol', type: ['null', 'double'], default: null },
  ],
} as const;
const predictions: Prediction[] = [
  { name: 'cultivar', type: 'string', depth: 0, read: () => null },
  { name: 'odds', type: 'float', depth: 1, read: () => null },
];
const NO_PREFIX = Buffer.alloc(0);
const source = new AvroCodec<object>(SOURCE as never);
const BODY = source.encode({ id: 1, at: 2, alcohol: 12.5 }, NO_PREFIX);
const ADDED = { cultivar: 'first', odds: [0.5, 0.25] };

function framed(id: number, body = BODY): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeInt32BE(id, 1);
  return Buffer.concat([prefix, body]);
}

async function formatWith(context: TestContext, record: 'enriched' | 'prediction' = 'enriched') {
  const server = await TestRegistry.start();
  const registry = new SchemaRegistry(server.url);
  const problems: Error[] = [];
  const results =
    record === 'enriched'
      ? enrichedAvro(registry, 'out-value', predictions)
      : predictionAvro({ id: 9, version: 1 }, predictions);
  const format = new AvroFormat(registry, results, {
    subject: 'in-value',
    onAway: () => undefined,
    onProblem: (error) => problems.push(error),
  });
  context.after(async () => {
    format.close();
    registry.close();
    await server.close();
  });
  server.has(7, SOURCE);
  server.tell('POST', '/subjects/in-value', { error_code: 40401, message: 'no subject' }, 404);
  server.tell('POST', '/subjects/out-value/versions', { id: 9 });
  server.tell('POST', '/subjects/out-value', { id: 9, version: 1 });
  return { server, format, problems };
}

test('an enriched record is the original, byte for byte, followed by the fields, with a registered schema', async (context) => {
  const { server, format } = await formatWith(context);
  const record = exampleRecord({ value: framed(7) });
  await format.lookUp(record, () => true);
  assert.equal(
    format.lookUp(record, () => true),
    undefined,
  );
  const read = format.read(framed(7), {});
  assert.equal(read.fields['id'], 1);
  const { value } = read.result(ADDED);
  assert.equal(value.readInt32BE(1), 9);
  assert.ok(value.subarray(5, 5 + BODY.length).equals(BODY));

  const { schema } = server.requests.find(({ path }) => path === '/subjects/out-value/versions')?.body as {
    schema: string;
  };
  const registered = JSON.parse(schema) as typeof SOURCE;
  assert.deepEqual(
    [registered.name, registered.doc, registered.fields.slice(0, 3)],
    ['Wine', 'kept', SOURCE.fields],
  );
  assert.deepEqual(plain(new AvroCodec<object>(registered as never).decode(value, 5)), {
    id: 1,
    at: 2,
    alcohol: 12.5,
    ...ADDED,
  });
  const reader = source.readerFor(registered as never);
  assert.deepEqual(plain(source.decode(value, 5, reader)), { id: 1, at: 2, alcohol: 12.5 });
});

test('predictions alone have the prediction schema', async (context) => {
  const { format } = await formatWith(context, 'prediction');
  await format.lookUp(exampleRecord({ value: framed(7) }), () => true);
  const { value } = format.read(framed(7), {}).result(ADDED);
  const codec = new AvroCodec<object>(predictionSchema('my-wine', predictions));
  assert.deepEqual(plain(codec.decode(value, 5)), ADDED);
});

test("references of the source's schema are kept in the schema of results", async (context) => {
  const { server, format } = await formatWith(context);
  const references = [{ name: 'example.Wine', subject: 'wine', version: 3 }];
  const holder = { type: 'record', name: 'Holder', fields: [{ name: 'wine', type: 'example.Wine' }] };
  server.has(8, holder, { references });
  server.tell('GET', '/subjects/wine/versions/3?deleted=true', { schema: JSON.stringify(SOURCE) });
  await format.lookUp(exampleRecord({ value: framed(8) }), () => true);
  const { fields } = format.read(framed(8), {});
  assert.equal((fields['wine'] as { id: number }).id, 1);
  const { body } = server.requests.find(({ path }) => path === '/subjects/out-value/versions') ?? {};
  assert.deepEqual((body as { references: unknown }).references, references);
});

test('unreadable records are refused: unknown schema, no schema, trailing bytes', async (context) => {
  const { format } = await formatWith(context);
  await format.lookUp(exampleRecord({ value: framed(6) }), () => true);
  assert.throws(() => format.read(framed(6), {}), {
    code: 'DECODE_FAILED',
    message: /schema 6: expected an Avro schema/,
  });
  assert.throws(() => format.read(Buffer.from('{}'), {}), {
    code: 'DECODE_FAILED',
    message: /expected 00 and a schema id/,
  });
  await format.lookUp(exampleRecord({ value: framed(7) }), () => true);
  const longer = framed(7, Buffer.concat([BODY, Buffer.from([0])]));
  assert.throws(() => format.read(longer, {}), { code: 'DECODE_FAILED', message: /1 bytes left over/ });
});

test('a refused schema of results stops the binding if the source has one, and refuses no record', async (context) => {
  const { server, format, problems } = await formatWith(context);
  server.tell('POST', '/subjects/in-value', { id: 7, version: 1 });
  server.tell('POST', '/subjects/out-value/versions', { error_code: 409, message: 'incompatible' }, 409);
  const record = exampleRecord({ value: framed(7) });
  let isSettled = false;
  void format.lookUp(record, () => true)?.then(() => (isSettled = true));
  await eventually(() => problems.length > 0);
  await settle();
  assert.equal(isSettled, false);
  assert.match(problems[0]?.message ?? '', /incompatible/);
});

test('nothing is registered before a record that can have a result', async (context) => {
  const { server, format } = await formatWith(context);
  const registrations = (): number =>
    server.requests.filter(({ path }) => path === '/subjects/out-value/versions').length;
  const longer = framed(7, Buffer.concat([BODY, Buffer.from([0])]));
  await format.lookUp(exampleRecord({ value: longer }), () => true);
  await format.lookUp(exampleRecord({ value: framed(7) }), ({ fields }) => fields['id'] === 2);
  assert.equal(registrations(), 0);
  assert.equal(format.read(framed(7), {}).fields['id'], 1, 'it is judged for what it holds');
  await format.lookUp(exampleRecord({ value: framed(7) }), ({ fields }) => fields['id'] === 1);
  assert.equal(registrations(), 1);
});

test("a refused schema of results is not the record's fault", async (context) => {
  const { server, format } = await formatWith(context);
  server.tell('POST', '/subjects/out-value/versions', { error_code: 409, message: 'incompatible' }, 409);
  await format.lookUp(exampleRecord({ value: framed(7) }), () => true);
  const source = format.read(framed(7), {});
  assert.throws(() => source.result(ADDED), {
    code: 'INTERNAL',
    message: /^schema of the results: .*incompatible/,
  });
});

test('a record with a foreign schema is refused alone, and nothing is registered for it', async (context) => {
  const { server, format, problems } = await formatWith(context);
  server.tell('POST', '/subjects/in-value', { error_code: 40403, message: 'another schema' }, 404);
  await format.lookUp(exampleRecord({ value: framed(7) }), () => true);
  assert.throws(() => format.read(framed(7), {}), {
    code: 'DECODE_FAILED',
    message: "schema 7: expected one of subject 'in-value', got another",
  });
  assert.deepEqual(problems, []);
  assert.ok(!server.requests.some(({ path }) => path === '/subjects/out-value/versions'));
});

test('a record of a deleted schema version is read; one without results is refused alone', async (context) => {
  const { server, format, problems } = await formatWith(context);
  const withCultivar = Buffer.concat([BODY, Buffer.from([2])]);
  server.has(8, { ...SOURCE, fields: [...SOURCE.fields, { name: 'cultivar', type: 'int' }] });
  server.tell('POST', '/subjects/in-value', { error_code: 40403, message: 'no live version' }, 404);
  server.tell('POST', '/subjects/in-value?deleted=true', { id: 7, version: 1 });
  await format.lookUp(exampleRecord({ value: framed(7) }), () => true);
  assert.equal(format.read(framed(7), {}).fields['id'], 1);
  await format.lookUp(exampleRecord({ value: framed(8, withCultivar) }), () => true);
  assert.throws(() => format.read(framed(8, withCultivar), {}).result(ADDED), {
    message: /output\.fields\.cultivar/,
  });
  assert.deepEqual(problems, []);
});

test('a source without a subject can have any schema; one without results is refused alone', async (context) => {
  const { server, format, problems } = await formatWith(context);
  const withCultivar = Buffer.concat([BODY, Buffer.from([2])]);
  server.has(8, { ...SOURCE, fields: [...SOURCE.fields, { name: 'cultivar', type: 'int' }] });
  await format.lookUp(exampleRecord({ value: framed(8, withCultivar) }), () => true);
  assert.throws(() => format.read(framed(8, withCultivar), {}).result(ADDED), {
    message: /output\.fields\.cultivar/,
  });
  await format.lookUp(exampleRecord({ value: framed(7) }), () => true);
  assert.equal(format.read(framed(7), {}).fields['id'], 1);
  assert.deepEqual(problems, []);
});

test('the schema of results for a known source is registered before the first record', async (context) => {
  const { server, format } = await formatWith(context);
  await format.prepare();
  server.tell('GET', '/subjects/in-value/versions', [1]);
  server.tell('GET', '/subjects/in-value/versions/1', { id: 7 });
  server.tell('POST', '/subjects/in-value', { id: 7, version: 1 });
  await format.prepare();
  assert.ok(server.requests.some(({ path }) => path === '/subjects/out-value/versions'));
  server.has(7, { ...SOURCE, fields: [...SOURCE.fields, { name: 'cultivar', type: 'int' }] });
  await assert.rejects(format.prepare(), {
    code: 'INVALID_REQUEST',
    message: /output\.fields\.cultivar/,
  });
});

test('only records can be enriched', () => {
  assert.throws(() => enrichedSchema('string', predictions), {
    message: /expected a record, got "string"/,
  });
});

test('a recursive source is not enriched', () => {
  const next = { name: 'next', type: ['null', { type: 'array', items: 'Node' }] };
  for (const namespace of [undefined, 'example'])
    assert.throws(
      () => enrichedSchema({ type: 'record', name: 'Node', namespace, fields: [next] } as never, predictions),
      { code: 'INVALID_REQUEST', message: /expected one that is not recursive, got (example\.)?Node/ },
    );
});

test('schemas of results are registered in source order, and the error of the newest counts', async (context) => {
  const { server, format } = await formatWith(context);
  const older = { ...SOURCE, fields: SOURCE.fields.slice(0, 2) };
  server.has(6, older);
  server.tell('POST', '/subjects/in-value', { id: 7, version: 2 });
  server.tell('GET', '/subjects/in-value/versions', [1, 4]);
  server.tell('GET', '/subjects/in-value/versions/1', { id: 6 });
  server.tell('GET', '/subjects/in-value/versions/4', { id: 7 });
  await format.prepare();
  const registered = server.requests
    .filter(({ path }) => path === '/subjects/out-value/versions')
    .map(({ body }) => (JSON.parse((body as { schema: string }).schema) as typeof SOURCE).fields.length);
  assert.deepEqual(registered, [older.fields.length + 2, SOURCE.fields.length + 2]);
});

async function eventually(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !isSo(); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isSo());
}
