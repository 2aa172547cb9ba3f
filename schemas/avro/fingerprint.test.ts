import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeStatusCodec, replyCodec, requestCodec } from '../codecs.js';
import { fingerprint } from './fingerprint.js';

// All expected values were computed with Python's fastavro:
//   from fastavro.schema import fingerprint, to_parsing_canonical_form
//   fingerprint(to_parsing_canonical_form(schema), 'CRC-64-AVRO')

test('fingerprints of primitive types match those of other Avro libraries', () => {
  assert.equal(fingerprint('"int"').toString('hex'), '8f5c393f1ad57572');
  assert.equal(fingerprint('"string"').toString('hex'), 'c70345637248018f');
  assert.equal(fingerprint('"null"').toString('hex'), '8a8f25cce724dd63');
});

test('fingerprints of our schemas match those of other Avro libraries', () => {
  assert.equal(requestCodec.fingerprint.toString('hex'), '030f267cc404bc46');
  assert.equal(replyCodec.fingerprint.toString('hex'), 'fd13c3505d4f4110');
  assert.equal(nodeStatusCodec.fingerprint.toString('hex'), '252b4aba692bc307');
});
