import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { JobClient } from '../../operations/jobs/job-client.js';
import { toTensor } from '../../producers/tensors.js';
import { splitBytes } from '../../schemas/tensor.js';
import { Harness } from '../support/harness.js';
import { finished, partsOf } from '../support/jobs.js';

const TASKS = fileURLToPath(new URL('../../../examples/tasks', import.meta.url));
let harness: Harness;
let client: JobClient;
before(async () => {
  harness = await Harness.start([], { tasks: TASKS });
  await Promise.all([harness.node(), harness.node(), harness.coordinatorProcess()]);
  client = await harness.jobClient();
});
after(() => harness.close());

test('a picture is the same whatever the number of parts that it is rendered in', async () => {
  const pictures: Buffer[] = [];
  for (const parts of ['1', '7']) {
    const parameters = { parts, width: '64', height: '48' };
    const status = await finished(client, { kind: 'ray-tracer', parameters, inputs: [] });
    assert.equal(status.state, 'DONE', status.error?.message);
    const strips = await partsOf(harness, status);
    assert.equal(strips.length, Number(parts));
    pictures.push(Buffer.concat(strips.map(([pixels]) => pixels?.data ?? Buffer.alloc(0))));
  }
  assert.equal(pictures[0]?.length, 64 * 48 * 3);
  assert.ok(new Set(pictures[0]).size > 50, 'the picture has many shades');
  assert.deepEqual(pictures[0], pictures[1]);
});

test('the modules of a program are compiled in parts, and a syntax error names its source', async () => {
  const sources = Array.from({ length: 10 }, (_, index) => `export const x${index}: number = ${index};`);
  const parameters = { parts: '3' };
  const job = { kind: 'typescript', parameters, inputs: [toTensor('sources', sources)] };
  const parts = await partsOf(harness, await finished(client, job));
  const modules = parts.flatMap(([output]) => splitBytes(output?.data ?? Buffer.alloc(0)).map(String));
  assert.deepEqual(
    modules,
    sources.map((source) => `${source.replace(': number', '')}\n`),
  );
  const broken = [...sources.slice(0, 8), 'let = ;', ...sources.slice(8)];
  const status = await finished(client, { ...job, inputs: [toTensor('sources', broken)] });
  assert.deepEqual(status.failedParts, [2]);
  assert.match(status.error?.message ?? '', /source 8: /);
});
