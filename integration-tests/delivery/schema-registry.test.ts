import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Schema } from 'avsc';
import { freePort } from '../../local-cluster/ports.js';
import { startLocalRegistry, type LocalRegistry } from '../../local-cluster/registry.js';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { replyCodec } from '../../schemas/codecs.js';
import { headerText } from '../../schemas/framing/framing.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import type { InferenceReply } from '../../schemas/generated.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../schemas/registry/self-contained.js';
import { TestRegistry } from '../../testing/registry.js';
import { topicNames } from '../../cluster/topics.js';
import { CommandLine } from '../support/command-line.js';
import { framed, unframed } from '../support/confluent.js';
import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';
import { Harness } from '../support/harness.js';
import { missing } from '../support/programs.js';
import { floats, valuesOf, type RawClient } from '../support/raw-client.js';

const MODEL = 'scale';
const NO_PREFIX = Buffer.alloc(0);
const cli = new CommandLine({});
const skip = (await missing(['java', '-version'], ['mvn', '-v'])) ?? false;

let server: LocalRegistry;
/** The registry, reached directly rather than through the gate. */
let registry: SchemaRegistry;
let gate: Gate;
/** The URL configured on nodes. */
let url: string;
let harness: Harness;
let rawClient: RawClient;
let topic: string;

interface RecordSchema {
  readonly fields: readonly { readonly name: string }[];
}
const OURS = REQUEST_SCHEMA as unknown as RecordSchema;
const withFields = (...fields: object[]): Schema => ({ ...OURS, fields }) as never;
const request = (factor = 1): object => ({
  id: 'r',
  model: MODEL,
  modelVersion: null,
  inputs: [
    floats(
      'x',
      [1, 4],
      [1, 2, 3, 4].map((value) => value * factor),
    ),
  ],
  outputs: [],
  parameters: {},
  deadline: null,
});

/** Returns the reply to a request, decoded with the schema that it names. */
const replyTo = (correlation: string): Promise<InferenceReply> =>
  unframed(registry, rawClient.replies.get(correlation)?.[0]?.value);

/** Returns the message of the dead letter of a request, and checks its bytes. */
async function deadLetterOf(
  correlation: string,
  value: Buffer,
  [stage, code] = ['decode', 'DECODE_FAILED'],
): Promise<string> {
  const letters = await harness.deadLetters(MODEL);
  const letter = letters.find(({ headers }) => headerText(headers, 'correlation-id') === correlation);
  assert.ok(letter, 'expected a dead letter');
  assert.ok(letter.value?.equals(value), 'the dead letter has the original bytes');
  assert.equal(headerText(letter.headers, '__connect.errors.stage'), stage);
  assert.equal(headerText(letter.headers, 'inference-error'), code);
  return headerText(letter.headers, '__connect.errors.exception.message') ?? '';
}

describe('with a schema registry', { skip }, () => {
  before(async () => {
    server = await startLocalRegistry();
    registry = new SchemaRegistry(server.url);
    ({ gate, url } = await Gate.inFrontOf(server.url));
    harness = await Harness.start([MODEL], { schemaRegistryUrl: url });
    topic = harness.topics.requests(MODEL);
    await harness.node();
    rawClient = await harness.rawClient();
  });
  after(async () => {
    await harness.close();
    await gate.shut();
    await server.stop();
    await cli.killAll();
  });

  test('until the reply schema is registered, requests become dead letters that name the command to register it', async () => {
    const { id } = await registry.register('some-value', REQUEST_SCHEMA);
    const value = framed(id, REQUEST_SCHEMA, request());
    const early = rawClient.send(topic, value);
    await rawClient.answered([early]);
    assert.equal(rawClient.replyTo(early).error?.code, 'INTERNAL');
    const message = await deadLetterOf(early, value, ['reply', 'INTERNAL']);
    assert.match(message, /`partitura schemas register scale`/);

    const { code, stdout, stderr } = await cli.run(['schemas', 'register', '--models', harness.models], {
      SCHEMA_REGISTRY_URL: url,
    });
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^SUBJECT +ID +VERSION\npartitura\.scale\.requests-value +\d+ +1\npartitura\.scale\.replies-value +\d+ +1\n$/,
    );
    const again = await cli.run(['schemas', 'register', MODEL, '--json'], { SCHEMA_REGISTRY_URL: url });
    const subjects = (JSON.parse(again.stdout) as { subject: string; version: number }[]).map(
      ({ subject, version }) => [subject, version],
    );
    assert.deepEqual(subjects, [
      ['partitura.scale.requests-value', 1],
      ['partitura.scale.replies-value', 1],
    ]);
    await eventually('requests are answered', async () => {
      const correlation = rawClient.send(topic, value);
      await rawClient.answered([correlation]);
      return rawClient.replies.get(correlation)?.[0]?.value?.[0] === 0;
    });
  });

  test('a new version of a registered schema must be compatible with all earlier ones', async () => {
    const subject = harness.topics.requestsSubject(MODEL);
    const incompatible = withFields(...OURS.fields, { name: 'must', type: 'string' });
    await assert.rejects(registry.register(subject, incompatible), { kind: 'refused' });
    const compatible = withFields(...OURS.fields, { name: 'may', type: 'string', default: '' });
    assert.equal((await registry.register(subject, compatible)).version, 2);
  });

  test("a request in Confluent's wire format is answered in the same format", async () => {
    const { id } = await registry.find(harness.topics.requestsSubject(MODEL), REQUEST_SCHEMA);
    const correlation = rawClient.send(topic, framed(id, REQUEST_SCHEMA, request()));
    const wrong = rawClient.send(topic, framed(id, REQUEST_SCHEMA, { ...request(), model: 'nobody' }));
    await rawClient.answered([correlation, wrong]);
    const reply = await replyTo(correlation);
    assert.deepEqual([reply.id, valuesOf(reply.outputs[0])], ['r', [2, 4, 6, 8]]);
    assert.equal((await replyTo(wrong)).error?.code, 'MODEL_NOT_FOUND');
  });

  test('requests of older and newer schemas are answered', async () => {
    const without = OURS.fields.filter(({ name }) => !['deadline', 'parameters', 'outputs'].includes(name));
    const older = withFields(...without);
    const newer = withFields(
      { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
      ...OURS.fields,
    );
    const sent = [];
    for (const [schema, value] of [
      [older, request()],
      [newer, { ...request(), tags: ['a', 'b'] }],
    ] as const) {
      const { id } = await registry.register(`writer-${sent.length}-value`, schema);
      sent.push(rawClient.send(topic, framed(id, schema, value)));
    }
    await rawClient.answered(sent);
    for (const correlation of sent)
      assert.deepEqual(valuesOf((await replyTo(correlation)).outputs[0]), [2, 4, 6, 8]);
  });

  test('an unknown schema id or one of another schema makes a dead letter byte for byte', async () => {
    const { id } = await registry.register('other-value', { type: 'record', name: 'Other', fields: [] });
    const cases: [Buffer, RegExp][] = [
      [
        framed(987_654, REQUEST_SCHEMA, request()),
        new RegExp(`schema 987654: .*127\\.0\\.0\\.1:${gate.port}`),
      ],
      [framed(0x7fffffff, REQUEST_SCHEMA, request()), /schema 2147483647: /],
      [framed(-1, REQUEST_SCHEMA, request()), /expected 00 and a schema id of 4 bytes, got 00ffffffff/],
      [framed(id, REQUEST_SCHEMA, request()), new RegExp(`schema ${id}: .*InferenceRequest`)],
    ];
    for (const [value, message] of cases) {
      const correlation = rawClient.send(topic, value);
      await rawClient.answered([correlation]);
      assert.match(await deadLetterOf(correlation, value), message);
    }
  });

  test('while the registry is unavailable, only partitions with an unknown schema wait, and nothing is lost', async () => {
    const subject = harness.topics.requestsSubject(MODEL);
    const { id: known } = await registry.find(subject, REQUEST_SCHEMA);
    const schema = withFields(...OURS.fields, { name: 'late', type: 'string', default: '' });
    const { id } = await registry.register('late-value', schema);
    await gate.shut();
    const waiting = Array.from({ length: 5 }, (_, index) =>
      rawClient.send(topic, framed(id, schema, { ...request(index), late: 'x' }), { partition: 0, key: 'k' }),
    );
    const behind = rawClient.send(topic, encodeRequest(request() as never), { partition: 0, key: 'k' });
    await rawClient.sent();
    const meanwhile = [1, 2, 3].flatMap((partition) => [
      rawClient.send(topic, encodeRequest(request() as never), { partition }),
      rawClient.send(topic, framed(known, REQUEST_SCHEMA, request()), { partition }),
    ]);
    await rawClient.answered(meanwhile);
    assert.ok(![...waiting, behind].some((correlation) => rawClient.replies.has(correlation)));
    await gate.open();
    await rawClient.answered([...waiting, behind]);
    for (const [index, correlation] of waiting.entries())
      assert.deepEqual(
        valuesOf((await replyTo(correlation)).outputs[0]),
        [2, 4, 6, 8].map((x) => x * index),
      );
    const order = rawClient.log.map(({ headers }) => headerText(headers, 'correlation-id') ?? '');
    assert.deepEqual(
      order.filter((correlation) => [...waiting, behind].includes(correlation)),
      [...waiting, behind],
    );
    await eventually('all offsets are committed', async () => (await harness.uncommitted(MODEL)) === 0);
  });

  test('a stopping node does not wait for the registry, and the next one answers', async () => {
    const schema = withFields(...OURS.fields, { name: 'later', type: 'string', default: '' });
    const { id } = await registry.register('later-value', schema);
    const topics = topicNames('stop');
    await harness.withAdmin((admin) =>
      admin.createTopics([{ topic: topics.requests(MODEL), partitions: 1, replicationFactor: -1 }]),
    );
    await cli.run(['schemas', 'register', MODEL, '--prefix', 'stop'], { SCHEMA_REGISTRY_URL: url });
    await gate.shut();
    const first = await harness.node({ prefix: 'stop' });
    const correlation = rawClient.send(
      topics.requests(MODEL),
      framed(id, schema, { ...request(), later: '' }),
    );
    await rawClient.sent();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const startedAt = Date.now();
    await first.close();
    assert.ok(Date.now() - startedAt < 5_000, `closing took ${Date.now() - startedAt} ms`);
    assert.ok(!rawClient.replies.has(correlation));
    await gate.open();
    await harness.node({ prefix: 'stop' });
    await rawClient.answered([correlation]);
    assert.deepEqual(valuesOf((await replyTo(correlation)).outputs[0]), [2, 4, 6, 8]);
  });

  test('nodes configured to register schemas do so, even if the registry becomes available later', async () => {
    await gate.shut();
    await harness.node({ prefix: 'auto', schemaRegistryAutoRegister: true });
    await gate.open();
    const topics = topicNames('auto');
    for (const subject of [topics.requestsSubject(MODEL), topics.repliesSubject(MODEL)]) {
      await eventually(`${subject} is registered`, async () => {
        const answer = await fetch(`${server.url}/config/${subject}`);
        const config = (await answer.json()) as { compatibilityLevel?: string };
        return config.compatibilityLevel === 'FULL_TRANSITIVE';
      });
    }
    const { id } = await registry.find(topics.requestsSubject(MODEL), REQUEST_SCHEMA);
    const correlation = rawClient.send(topics.requests(MODEL), framed(id, REQUEST_SCHEMA, request()));
    await rawClient.answered([correlation]);
    assert.deepEqual(valuesOf((await replyTo(correlation)).outputs[0]), [2, 4, 6, 8]);
  });

  test('a request with a schema GUID in a header is answered likewise', async () => {
    const guids = {
      request: '89791762-2336-4186-9674-299b90a802e2',
      reply: 'fedcba98-7654-3210-fedc-ba9876543210',
    };
    const headerOf = (guid: string): Buffer => Buffer.from(`01${guid.replaceAll('-', '')}`, 'hex');
    const topics = topicNames('guid');
    const recorded = await TestRegistry.start();
    try {
      recorded.has(guids.request, REQUEST_SCHEMA as object, { guid: guids.request });
      recorded.tell('POST', `/subjects/${topics.repliesSubject(MODEL)}`, {
        subject: topics.repliesSubject(MODEL),
        version: 1,
        id: 100_002,
        guid: guids.reply,
        schema: JSON.stringify(REPLY_SCHEMA),
      });
      const node = await harness.node({ prefix: 'guid', schemaRegistryUrl: recorded.url });
      const value = new AvroCodec<object>(REQUEST_SCHEMA).encode(request(), NO_PREFIX);
      const headers = { __value_schema_id: headerOf(guids.request) };
      const correlation = rawClient.send(topics.requests(MODEL), value, { headers });
      await rawClient.answered([correlation]);
      const [record] = rawClient.replies.get(correlation) ?? [];
      assert.deepEqual(record?.headers['__value_schema_id'], headerOf(guids.reply));
      const reply = replyCodec.decode(record?.value ?? NO_PREFIX);
      assert.deepEqual(valuesOf(reply.outputs[0]), [2, 4, 6, 8]);
      await node.close();
    } finally {
      await recorded.close();
    }
  });

  test('a GUID on a registry without GUIDs makes a dead letter and does not block the partition', async () => {
    const value = new AvroCodec<object>(REQUEST_SCHEMA).encode(request(), NO_PREFIX);
    const headers = { __value_schema_id: Buffer.from(`01${'42'.repeat(16)}`, 'hex') };
    const correlation = rawClient.send(topic, value, { headers });
    await rawClient.answered([correlation]);
    assert.match(await deadLetterOf(correlation, value), /^schema 42424242-4242-4242-4242-424242424242: /);
  });

  test('up --registry runs a registry for its nodes, prints its address, and stops it with the cluster', async () => {
    const brokerPort = String(await freePort());
    const registryPort = String(await freePort());
    const up = await cli.up({}, ['--nodes', '1', '--registry', '--registry-port', registryPort]);
    assert.equal(up.ready.registry, `http://127.0.0.1:${registryPort}/apis/ccompat/v7`);
    const { code, stderr } = await cli.run([
      'schemas',
      'register',
      'digits',
      '--schema-registry-url',
      up.ready.registry,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(await up.end('SIGTERM'), 0);
    await assert.rejects(fetch(up.ready.registry), 'the registry has stopped');

    const port = new URL(server.url).port;
    const taken = await cli.run(['up', '--registry', '--registry-port', port, '--broker-port', brokerPort]);
    assert.equal(taken.code, 1);
    assert.match(
      taken.stderr,
      new RegExp(
        `port ${port} on 127.0.0.1 is in use by another program; choose another with --registry-port`,
      ),
    );
    const both = await cli.run(['up', '--registry'], { SCHEMA_REGISTRY_URL: url });
    assert.match(
      both.stderr,
      /^partitura: INVALID_REQUEST: expected --registry or SCHEMA_REGISTRY_URL, got both\n$/,
    );
  });
});
