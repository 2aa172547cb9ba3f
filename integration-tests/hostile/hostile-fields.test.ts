import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { NodeProcess } from '../../local-cluster/role-process.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { floats, type RawClient } from '../support/raw-client.js';

const MIB = 1024 * 1024;
const NARROW = 'narrow.replies';
const LATEST_DEADLINE = 9e15;

let harness: Harness;
let node: NodeProcess;
let rawClient: RawClient;
const lines: string[] = [];
before(async () => {
  harness = await Harness.start(['scale']);
  const config = { 'max.message.bytes': '100000' };
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic: NARROW, partitions: 1, replicationFactor: -1, config }]),
  );
  node = await harness.nodeProcess({ logLevel: 'info' }, (line) => lines.push(line));
  rawClient = await harness.rawClient();
});
after(() => harness.close());

const request = { model: 'scale', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] };
const large = (bytes: number): Buffer => Buffer.alloc(bytes, 'x');

/** Hostile requests; regardless of their outcome, the requests behind them are answered. */
const HARD: readonly (readonly [name: string, send: () => unknown])[] = [
  ['a correlation id of three megabytes', () => ask({ 'correlation-id': large(3 * MIB) })],
  ['a correlation id too large for the reply topic', () => askNarrow({ 'correlation-id': large(3 * MIB) })],
  ['a trace of three megabytes', () => askNarrow({ tracestate: large(3 * MIB), traceparent: large(MIB) })],
  ['a reply topic of a megabyte', () => ask({ 'reply-to': large(MIB) })],
  ['an empty reply topic', () => ask({ 'reply-to': Buffer.alloc(0) })],
  [
    'a missing reply topic of 249 characters',
    () => ask({ 'reply-to': Buffer.from(`${'x'.repeat(241)}.replies`) }),
  ],
  ['a reply partition of a megabyte', () => ask({ 'reply-partition': large(MIB) })],
  ['a reply partition out of range', () => ask({ 'reply-partition': Buffer.from('99999999999999999999') })],
  [
    'a key of three megabytes',
    () => rawClient.request(topic(), request, { ...place, key: 'k'.repeat(3 * MIB) }),
  ],
  ['a header without a name', () => ask({ '': Buffer.from('x') })],
  ['a header name of a megabyte', () => ask({ ['n'.repeat(MIB)]: Buffer.from('x') })],
  [
    'headers named like built-in object properties',
    () => ask({ __proto__: Buffer.from('x'), constructor: Buffer.from('x') }),
  ],
  ['the latest deadline', () => rawClient.request(topic(), { ...request, deadline: LATEST_DEADLINE }, place)],
  [
    'the earliest deadline',
    () => rawClient.request(topic(), { ...request, deadline: -LATEST_DEADLINE }, place),
  ],
  ['a deadline beyond safe integers', () => rawClient.send(topic(), beyondNumbers(), place)],
];

const topic = (): string => harness.topics.requests('scale');
const place = { partition: 0 };
const ask = (headers: RecordHeaders): string => rawClient.request(topic(), request, { ...place, headers });
const askNarrow = (headers: RecordHeaders): string => ask({ 'reply-to': Buffer.from(NARROW), ...headers });

/** Encodes a request whose 64-bit deadline exceeds the precision of numbers. */
function beyondNumbers(): Buffer {
  const value = encodeRequest({
    id: 'x',
    modelVersion: null,
    outputs: [],
    parameters: {},
    deadline: 1,
    ...request,
  });
  return Buffer.concat([value.subarray(0, -1), Buffer.from('ffffffffffffffffff01', 'hex')]);
}

for (const [name, send] of HARD)
  test(`${name} delays no others`, async () => {
    send();
    const behind = rawClient.request(topic(), request, place);
    await rawClient.answered([behind], 30_000);
    await eventually('all offsets are committed', async () => (await harness.uncommitted('scale')) === 0);
    assert.equal(await Promise.race([node.exited, Promise.resolve('serving')]), 'serving');
  });

test('log lines about them have a bounded length', () => {
  assert.ok(lines.length > 0);
  assert.ok(Math.max(...lines.map(({ length }) => length)) < 64 * 1024);
});
