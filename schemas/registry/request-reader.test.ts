import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Schema } from 'avsc';
import { AvroCodec } from '../avro/codec.js';
import { requestCodec } from '../codecs.js';
import { InferenceRequestSchema, TensorSchema } from '../generated.js';
import { exampleRequest, plain } from '../../testing/requests.js';
import { SchemaRegistry } from './client.js';
import { requestReader } from './request-reader.js';
import { REQUEST_SCHEMA } from './self-contained.js';
import { TestRegistry } from '../../testing/registry.js';

interface RecordSchema {
  readonly fields: readonly { readonly name: string }[];
}
const ours = REQUEST_SCHEMA as unknown as RecordSchema;
const withFields = (fields: readonly object[]): Schema => ({ ...ours, fields }) as never;
const without = (...names: string[]): object[] => ours.fields.filter(({ name }) => !names.includes(name));

async function started(context: TestContext) {
  const server = await TestRegistry.start();
  context.after(() => server.close());
  return { server, registry: new SchemaRegistry(server.url) };
}

test('requests with an older or a newer schema are read', async (context) => {
  const { server, registry } = await started(context);
  const request = exampleRequest({ deadline: null });
  const versions: [number, Schema, object][] = [
    [1, withFields(without('deadline', 'parameters')), request],
    [
      2,
      withFields([...ours.fields, { name: 'tags', type: 'string', default: '' }]),
      { ...request, tags: 'x' },
    ],
  ];
  for (const [id, schema, written] of versions) {
    server.has(id, schema as object);
    const bytes = new AvroCodec<object>(schema).encode(written, Buffer.alloc(0));
    const reader = await requestReader(registry, id);
    assert.deepEqual(plain(requestCodec.decode(bytes, 0, reader)), request);
  }
});

test('referenced schemas are fetched from their subjects, each once, before those that reference them', async (context) => {
  const { server, registry } = await started(context);
  const reference = (subject: string): object => ({ name: `partitura.${subject}`, subject, version: 1 });
  const note = {
    type: 'record',
    name: 'Note',
    namespace: 'partitura',
    fields: [{ name: 'about', type: ['null', 'partitura.Tensor'] }],
  };
  const fields = [...InferenceRequestSchema.fields, { name: 'note', type: 'partitura.Note' }];
  server.has(
    9,
    { ...InferenceRequestSchema, fields },
    { references: [reference('Note'), reference('Tensor')] },
  );
  server.tell('GET', '/subjects/Tensor/versions/1?deleted=true', { schema: JSON.stringify(TensorSchema) });
  server.tell('GET', '/subjects/Note/versions/1?deleted=true', {
    schema: JSON.stringify(note),
    references: [reference('Tensor')],
  });
  const reader = await requestReader(registry, 9);
  assert.equal(server.requests.length, 3);
  const writer = new AvroCodec<object>({ ...InferenceRequestSchema, fields } as never, [
    TensorSchema as never,
    note as never,
  ]);
  const bytes = writer.encode({ ...exampleRequest(), note: { about: null } }, Buffer.alloc(0));
  assert.deepEqual(plain(requestCodec.decode(bytes, 0, reader)), exampleRequest());
});

test('a schema that is not Avro or cannot be resolved to ours is refused with the reason', async (context) => {
  const { server, registry } = await started(context);
  server.has(1, { type: 'object' }, { schemaType: 'JSON' });
  server.has(2, { type: 'record' });
  server.has(3, withFields(without('inputs')) as object);
  server.has(4, InferenceRequestSchema, { references: [{ name: 'T', subject: 'gone', version: 1 }] });
  server.tell('GET', '/schemas/ids/5', { schema: 'no JSON' });
  await assert.rejects(requestReader(registry, 1), /expected Avro, got JSON/);
  await assert.rejects(requestReader(registry, 2));
  await assert.rejects(requestReader(registry, 3), /inputs|cannot read/i);
  await assert.rejects(requestReader(registry, 4), {
    kind: 'unknown',
    message: /\/subjects\/gone\/versions\/1/,
  });
  await assert.rejects(requestReader(registry, 5), SyntaxError);
  await assert.rejects(requestReader(registry, 6), { kind: 'unknown' });
});
