import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InferenceReply } from '../generated.js';
import { binaryCloudEvent, structuredCloudEvent } from './cloud-events.js';
import { SchemaFraming, guidReplyLabel, idReplyLabel } from './confluent.js';
import type { Framing, RecordHeaders } from './framing.js';
import { oipJson, singleObject } from './index.js';
import { readReply } from './read-reply.js';
import { PartituraError } from '../errors.js';

const REPLY: InferenceReply = {
  id: 'r-1',
  model: 'digits',
  modelVersion: '3',
  outputs: [],
  error: null,
  node: 'n-1',
  timing: null,
};
const NO_READER = new PartituraError('DECODE_FAILED', 'only replies are read here');
const FRAMINGS: readonly [string, Framing][] = [
  ['single object', singleObject],
  ['a schema id', new SchemaFraming(5, NO_READER, idReplyLabel(7))],
  ['a schema GUID', new SchemaFraming(0, NO_READER, guidReplyLabel('00112233-4455-6677-8899-aabbccddeeff'))],
  ['JSON', oipJson],
  ['a structured event', structuredCloudEvent],
  ['a binary event', binaryCloudEvent],
];

const headersOf = (framing: Framing): RecordHeaders =>
  Object.fromEntries(
    Object.entries({ ...framing.headers, ...framing.headersOf?.(REPLY) }).map(([name, value]) => [
      name,
      Buffer.from(value),
    ]),
  );

for (const [name, framing] of FRAMINGS)
  test(`a reply in ${name} is recognized and read`, () => {
    const read = readReply(framing.encodeReply(REPLY), headersOf(framing));
    assert.deepEqual([read?.id, read?.modelVersion, read?.error, read?.node], ['r-1', '3', null, 'n-1']);
  });

test('a value that is no reply is not read', () => {
  for (const value of ['', 'text', '[]', '{"id":'])
    assert.equal(readReply(Buffer.from(value), {}), undefined, value);
});
