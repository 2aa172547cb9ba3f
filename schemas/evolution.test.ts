import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Schema } from 'avsc';
import { AvroCodec } from './avro/codec.js';
import {
  REPLY_DEPENDENCIES,
  REQUEST_DEPENDENCIES,
  nodeStatusCodec,
  replyCodec,
  requestCodec,
} from './codecs.js';
import { acceptRequestSchema, decodeReply, encodeRequest, singleObject } from './framing/index.js';
import { InferenceReplySchema, InferenceRequestSchema, NodeStatusSchema } from './generated.js';
import { exampleReply, exampleRequest, exampleTensor, plain } from '../testing/requests.js';

/** A schema of an earlier version of Partitura and a record written by it (single-object, hex). */
interface Fixture {
  readonly dependencies: readonly Schema[];
  readonly schema: RecordSchema;
  readonly record: string;
}

interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: unknown; readonly default?: unknown }[];
}

type Fixtures = Record<keyof typeof CURRENT, Fixture>;

const CURRENT = {
  InferenceRequest: {
    codec: requestCodec as AvroCodec<unknown>,
    dependencies: REQUEST_DEPENDENCIES,
    schema: InferenceRequestSchema as unknown as RecordSchema,
  },
  InferenceReply: {
    codec: replyCodec as AvroCodec<unknown>,
    dependencies: REPLY_DEPENDENCIES,
    schema: InferenceReplySchema as unknown as RecordSchema,
  },
  NodeStatus: {
    codec: nodeStatusCodec as AvroCodec<unknown>,
    dependencies: [],
    schema: NodeStatusSchema as unknown as RecordSchema,
  },
};

const HEADER_BYTES = 10;
const NO_PREFIX = Buffer.alloc(0);
// Compiled tests run from dist/, which mirrors the sources.
const folder = join(import.meta.dirname, '../../schemas/fixtures');
const versions = readdirSync(folder).filter((name) => /^v\d+\.json$/.test(name));
const fixturesOf = (version: string): Fixtures =>
  JSON.parse(readFileSync(join(folder, version), 'utf8')) as Fixtures;

/** The records of v1.json, as values. */
const VALUES = {
  InferenceRequest: exampleRequest({
    modelVersion: '2',
    outputs: ['probabilities'],
    parameters: { k: 'v' },
    deadline: 1_700_000_000_123,
  }),
  InferenceReply: exampleReply({
    modelVersion: null,
    outputs: [exampleTensor()],
    error: { code: 'OVERLOADED', message: 'später', retryable: true },
    node: 'n',
    timing: { queueMicros: 1, computeMicros: 9_007_199_254_740_990, batchSize: 3 },
  }),
  NodeStatus: {
    node: 'n',
    host: 'h',
    startedAt: 1,
    beatAt: 2,
    state: 'READY',
    models: [
      {
        model: 'digits',
        version: '1',
        state: 'AVAILABLE',
        backend: 'tensorflow',
        message: null,
        measured: null,
        batching: null,
        format: null,
        runtime: null,
        filesHash: null,
        signatures: [],
        signaturesNote: null,
        load: null,
        delivery: null,
        deliveryNote: null,
        counts: null,
      },
    ],
    partitions: [{ topic: 't', partition: 3, lagRecords: 0 }],
    bindings: [],
    inflightRequests: 4,
    inflightBytes: 5,
    serviceMicros: 6.5,
    capacityRequests: 7,
    controlOffset: -1,
    skippedFolders: [],
  },
};

function withField(schema: RecordSchema, field: RecordSchema['fields'][number]): Schema {
  return { ...schema, fields: [...schema.fields, field] } as unknown as Schema;
}

const NAMES = Object.keys(CURRENT) as (keyof typeof CURRENT)[];
const PRIORITY = { name: 'priority', type: 'int', default: 5 };

for (const version of versions) {
  for (const name of NAMES) {
    const { codec, dependencies, schema } = CURRENT[name];
    const fixture = fixturesOf(version)[name];
    const record = Buffer.from(fixture.record, 'hex');
    const old = new AvroCodec<unknown>(fixture.schema as Schema, fixture.dependencies);

    test(`a stored ${name} of ${version} is read with the current schema`, () => {
      const reader = codec.readerFor(fixture.schema as Schema, fixture.dependencies);
      assert.deepEqual(record.subarray(2, HEADER_BYTES), reader.fingerprint);
      assert.deepEqual(plain(codec.decode(record, HEADER_BYTES, reader)), VALUES[name]);
    });

    test(`a current ${name} is read with the schema of ${version}`, () => {
      const written = codec.encode(VALUES[name], NO_PREFIX);
      const reader = old.readerFor(schema as Schema, dependencies);
      assert.deepEqual(plain(old.decode(written, 0, reader)), plain(old.decode(record, HEADER_BYTES)));
    });

    test(`every field added to ${name} after ${version} has a default, and every removed one had one`, () => {
      const known = new Map(fixture.schema.fields.map((field) => [field.name, field]));
      const now = new Map(schema.fields.map((field) => [field.name, field]));
      const added = schema.fields.filter((field) => !known.has(field.name));
      const removed = fixture.schema.fields.filter((field) => !now.has(field.name));
      assert.deepEqual(
        [...added, ...removed].filter((field) => !('default' in field)),
        [],
      );
    });
  }
}

for (const name of NAMES) {
  const { codec, dependencies, schema } = CURRENT[name];

  test(`a ${name} of a later version with an additional field is read, and that version reads current ones`, () => {
    const later = withField(schema, PRIORITY);
    const laterCodec = new AvroCodec<unknown>(later, dependencies);
    const written = laterCodec.encode({ ...VALUES[name], priority: 9 }, NO_PREFIX);
    assert.deepEqual(plain(codec.decode(written, 0, codec.readerFor(later, dependencies))), VALUES[name]);

    const ours = codec.encode(VALUES[name], NO_PREFIX);
    const read = laterCodec.decode(ours, 0, laterCodec.readerFor(schema as Schema, dependencies));
    assert.deepEqual(plain(read), { ...VALUES[name], priority: 5 });
  });
}

test("a request with another version's schema is refused until the schema is accepted", () => {
  const later = withField(CURRENT.InferenceRequest.schema, {
    name: 'tags',
    type: { type: 'array', items: 'string' },
    default: [],
  });
  const codec = new AvroCodec<unknown>(later, REQUEST_DEPENDENCIES);
  const prefix = Buffer.concat([Buffer.from('c301', 'hex'), codec.fingerprint]);
  const record = codec.encode({ ...VALUES.InferenceRequest, tags: ['a', 'b'] }, prefix);
  const message = `schema fingerprint ${requestCodec.fingerprint.toString('hex')} (InferenceRequest) expected, got ${codec.fingerprint.toString('hex')}`;
  assert.throws(() => singleObject.decodeRequest(record), { code: 'DECODE_FAILED', message });
  acceptRequestSchema(later);
  assert.deepEqual(plain(singleObject.decodeRequest(record)), VALUES.InferenceRequest);
});

test('a schema that cannot be resolved to ours is not accepted', () => {
  const { schema } = CURRENT.InferenceRequest;
  const fields = schema.fields.filter(({ name }) => name !== 'inputs');
  assert.throws(() => acceptRequestSchema({ ...schema, fields } as unknown as Schema), /inputs|cannot read/i);
});

test('a record shorter than its header is refused, quoting the partial fingerprint', () => {
  for (const [hex, got] of [
    ['c301', 'none'],
    ['c3010102', '0102'],
  ] as const) {
    const message = new RegExp(`expected, got ${got}$`);
    assert.throws(() => singleObject.decodeRequest(Buffer.from(hex, 'hex')), {
      code: 'DECODE_FAILED',
      message,
    });
    assert.throws(() => decodeReply(Buffer.from(hex, 'hex')), { code: 'DECODE_FAILED', message });
  }
});

test('request and reply survive a single-object round trip', () => {
  assert.deepEqual(
    plain(singleObject.decodeRequest(encodeRequest(VALUES.InferenceRequest))),
    VALUES.InferenceRequest,
  );
  assert.deepEqual(
    plain(decodeReply(singleObject.encodeReply(VALUES.InferenceReply))),
    VALUES.InferenceReply,
  );
});

// Written by Python: fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value), with referenced
// schemas inlined and the values above, except for ids ('py-1') and the reply's outputs (none).
const FROM_PYTHON = {
  request:
    '0870792d310c646967697473020232020c706978656c73084650333204020400100000803f000000c000021a70726f626162696c69746965730002026b02760002f6a1abfef962',
  reply: '0870792d310c646967697473000002144f5645524c4f414445440e7370c3a47465720102026e0202fcffffffffffff1f06',
};

test("data encoded by Python's fastavro is decoded and re-encoded to the same bytes", () => {
  const request = { ...VALUES.InferenceRequest, id: 'py-1' };
  assert.deepEqual(plain(requestCodec.decode(Buffer.from(FROM_PYTHON.request, 'hex'))), request);
  assert.equal(requestCodec.encode(request, NO_PREFIX).toString('hex'), FROM_PYTHON.request);

  const reply = { ...VALUES.InferenceReply, id: 'py-1', outputs: [] };
  assert.deepEqual(plain(replyCodec.decode(Buffer.from(FROM_PYTHON.reply, 'hex'))), reply);
  assert.equal(replyCodec.encode(reply, NO_PREFIX).toString('hex'), FROM_PYTHON.reply);
});
