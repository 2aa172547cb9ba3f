import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mlserverJson } from './mlserver.js';

const value = Buffer.from('{"id":"body","inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}');

test('model and version are read from headers, and the id from the key', () => {
  const headers = { 'mlserver-model': Buffer.from('digits'), 'mlserver-version': Buffer.from('2') };
  const request = mlserverJson.decodeRequest(value, 'of-topic', { key: Buffer.from('k-1'), headers });
  assert.deepEqual([request.model, request.modelVersion, request.id], ['digits', '2', 'k-1']);
});

test('without a key the id comes from the body, and without a version the latest is used', () => {
  const headers = { 'mlserver-model': Buffer.from('digits') };
  const request = mlserverJson.decodeRequest(value, 'of-topic', { key: null, headers });
  assert.deepEqual([request.modelVersion, request.id], [null, 'body']);
});
