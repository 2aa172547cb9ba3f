import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PartituraError } from '../../schemas/errors.js';
import { Harness } from '../support/harness.js';

/** Two million float32: 8 MB per tensor. */
const ROWS = 500_000;
const LARGEST = 9_000_000;

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

const ramp = (rows: number): Float32Array =>
  Float32Array.from({ length: rows * 4 }, (_, index) => index % 1_000);

test('a tensor of 8 MB makes a round trip if all parts are configured for it', async () => {
  await harness.node({ maxRecordBytes: LARGEST, prefix: 'large' });
  const client = await harness.client({ maxRecordBytes: LARGEST, prefix: 'large', timeoutMs: 60_000 });
  const small = await client.predict('scale', { x: { data: ramp(1), shape: [1, 4] } });
  const data = ramp(ROWS);
  const reply = await client.predict('scale', { x: { data, shape: [ROWS, 4] } });
  const [factor = NaN, offset = NaN] = lineThrough(small.outputs['y']?.data as Float32Array);
  const scaled = reply.outputs['y']?.data as Float32Array;
  assert.equal(scaled.length, data.length);
  assert.ok(scaled.every((value, index) => value === (data[index] ?? NaN) * factor + offset));
});

/** Returns the line through the outputs for 0 and 1. */
function lineThrough([atZero = NaN, atOne = NaN]: Float32Array): [factor: number, offset: number] {
  return [atOne - atZero, atZero];
}

test('a request larger than the configured limit is refused by the client with both sizes', async () => {
  const client = await harness.client({ maxRecordBytes: LARGEST, prefix: 'large' });
  const large = { x: { data: ramp(ROWS * 2), shape: [ROWS * 2, 4] } };
  await assert.rejects(client.predict('scale', large), (error: PartituraError) => {
    assert.equal(error.code, 'REQUEST_TOO_LARGE');
    assert.match(error.message, /expected at most 9000000 bytes, got 1600\d{4}/);
    return true;
  });
});

test('a node whose record limit exceeds that of its topics warns at startup with the fix', async () => {
  const topic = 'narrow.scale.requests';
  const config = { 'max.message.bytes': '1000000' };
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic, partitions: 4, replicationFactor: -1, config }]),
  );
  const lines: string[] = [];
  await harness.nodeProcess({ maxRecordBytes: LARGEST, prefix: 'narrow', logLevel: 'warn' }, (line) =>
    lines.push(line),
  );
  const warnings = lines.filter((line) => line.includes('max.message.bytes'));
  assert.equal(warnings.length, 1, lines.join('\n'));
  assert.match(
    warnings[0] ?? '',
    /topic narrow\.scale\.requests takes at most 1000000 bytes, and records may have 9000000: raise its limit/,
  );
});
