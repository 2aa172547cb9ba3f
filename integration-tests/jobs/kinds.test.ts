import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JobClient } from '../../operations/jobs/job-client.js';
import { Harness } from '../support/harness.js';
import { doubles, finished, partsOf, TASKS } from '../support/jobs.js';

let harness: Harness;
let client: JobClient;
let files: string;
before(async () => {
  files = await mkdtemp(join(tmpdir(), 'partitura-jobs-'));
  harness = await Harness.start(['scale'], {
    jobs: true,
    tasks: TASKS,
    jobFiles: files,
    jobPartTimeoutMs: 10_000,
  });
  await Promise.all([harness.node(), harness.node(), harness.coordinatorProcess()]);
  client = await harness.jobClient();
});
after(async () => {
  await harness.close();
  await rm(files, { recursive: true });
});

const COUNT = 20_000;
const numbers = Array.from({ length: COUNT }, (_, index) => Math.sin(index) * 10 ** (index % 7));
const values = [doubles('values', [COUNT], numbers)];

/** Scans one after another in the order that the kind documents: blocks from their beginning, carries left to right. */
function scanned(block: number): number[] {
  const sums: number[] = [];
  let carry: number | undefined;
  for (let begin = 0; begin < COUNT; begin += block) {
    let sum = carry;
    let total: number | undefined;
    for (const value of numbers.slice(begin, begin + block)) {
      sum = sum === undefined ? value : sum + value;
      total = total === undefined ? value : total + value;
      sums.push(sum);
    }
    carry = carry === undefined ? total : carry + (total ?? 0);
  }
  return sums;
}

test('a scan has the bits of the documented order, part after part', async () => {
  const status = await finished(client, {
    kind: 'scan',
    parameters: { operation: 'sum', block: '1500' },
    inputs: values,
  });
  assert.equal(status.state, 'DONE', status.error?.message);
  const parts = await partsOf(harness, status);
  assert.equal(parts.length, Math.ceil(COUNT / 1_500));
  const all = Buffer.concat(parts.map(([output]) => output?.data ?? Buffer.alloc(0)));
  assert.deepEqual([...new Float64Array(new Uint8Array(all).buffer)], scanned(1_500));
});

test('a reduction is a single reply, and a matrix times a vector is the same by rows and by columns', async () => {
  const reduced = await finished(client, {
    kind: 'reduce',
    parameters: { operation: 'max' },
    inputs: values,
  });
  const [[max] = []] = await partsOf(harness, reduced);
  assert.equal(max?.data.readDoubleLE(0), Math.max(...numbers));
  const matrix = doubles('matrix', [40, 50], numbers.slice(0, 2_000).map(Math.round));
  const other = doubles('other', [50], numbers.slice(0, 50).map(Math.round));
  const expected = Array.from({ length: 40 }, (_, row) =>
    Array.from({ length: 50 }, (_, k) => k).reduce(
      (sum, k) => sum + Math.round(numbers[row * 50 + k] ?? 0) * Math.round(numbers[k] ?? 0),
      0,
    ),
  );
  for (const by of ['rows', 'columns']) {
    const status = await finished(client, {
      kind: 'matvec',
      parameters: { by, block: '7' },
      inputs: [matrix, other],
    });
    const parts = await partsOf(harness, status);
    const all = Buffer.concat(parts.map(([output]) => output?.data ?? Buffer.alloc(0)));
    assert.deepEqual([...new Float64Array(new Uint8Array(all).buffer)], expected, by);
  }
});

test('map answers the rows of a file in their order, into a file', async () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => [index, -index, index / 2, 1]);
  await writeFile(join(files, 'rows.ndjson'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const parameters = { model: 'scale', input: 'rows.ndjson', output: 'out/answers.ndjson', block: '64' };
  const status = await finished(client, { kind: 'map', parameters, inputs: [] });
  assert.equal(status.state, 'DONE', status.error?.message);
  const lines = (await readFile(join(files, 'out/answers.ndjson'), 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, rows.length);
  const first = Object.values(JSON.parse(lines[1] ?? '{}') as Record<string, number[]>)[0] ?? [];
  const factor = (first[0] ?? 0) / 1;
  lines.forEach((line, index) => {
    const [row] = Object.values(JSON.parse(line) as Record<string, number[]>);
    assert.deepEqual(
      row,
      (rows[index] ?? []).map((value) => value * factor || 0).map((value) => value + 0),
    );
  });
});

test('an output may replace its input, and files and arrays that cannot be read fail their job alone', async () => {
  const rows = Array.from({ length: 300 }, (_, index) => [index, 0, 0, 0]);
  const path = join(files, 'same.ndjson');
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const same = { model: 'scale', input: 'same.ndjson', output: 'same.ndjson', block: '50' };
  assert.equal((await finished(client, { kind: 'map', parameters: same, inputs: [] })).state, 'DONE');
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, rows.length);
  assert.notEqual(lines[299], JSON.stringify(rows[299]));
  await mkdir(join(files, 'folder.csv'));
  const folder = { model: 'scale', input: 'folder.csv' };
  const huge = { name: 'values', datatype: 'FP64', shape: [2 ** 52, 1, 1], data: Buffer.alloc(8) };
  for (const [kind, parameters, inputs] of [
    ['map', folder, []],
    ['scan', { operation: 'matrix' }, [huge]],
    ['numbered', { parts: '100000000' }, []],
  ] as const)
    assert.equal((await finished(client, { kind, parameters, inputs })).state, 'FAILED', kind);
});

test('a failure names the parts, and nothing after them is delivered', async () => {
  const parameters = { parts: '12', failing: '4,7' };
  const status = await finished(client, { kind: 'numbered', parameters, inputs: [] });
  assert.equal(status.state, 'FAILED');
  assert.equal(status.error?.code, 'PART_FAILED');
  assert.deepEqual(status.failedParts, [4, 7]);
  assert.match(status.error.message, /^parts 4, 7 failed: .*part 4 fails on purpose/);
  await assert.rejects(partsOf(harness, status), /parts 4, 7 failed/);
});

test('a job is cancelled, a late one ends at its deadline, and wrong parameters are named', async () => {
  const slow = { parts: '400', sleepMs: '100' };
  const id = await client.submit({ kind: 'numbered', parameters: slow, inputs: [] });
  const cancelled = client.whenFinished(id, () => undefined, AbortSignal.timeout(30_000));
  await client.cancel(id, 'test');
  assert.equal((await cancelled)?.state, 'CANCELLED');
  const late = await finished(client, {
    kind: 'numbered',
    parameters: slow,
    inputs: [],
    deadline: Date.now() + 1_000,
  });
  assert.equal(late.error?.code, 'DEADLINE_EXCEEDED');
  const wrong = await finished(client, { kind: 'scan', parameters: { operation: 'mean' }, inputs: values });
  assert.equal(wrong.error?.code, 'INVALID_REQUEST');
  assert.match(wrong.error.message, /parameters\.operation: .*expected one of "sum"/);
  const outside = { operation: 'sum', values: '../secret.npy' };
  const refused = await finished(client, { kind: 'scan', parameters: outside, inputs: [] });
  assert.match(
    refused.error?.message ?? '',
    /expected a file inside the folder of jobs, got '\.\.\/secret\.npy'/,
  );
});

test('a record that is no job becomes a dead letter, and jobs after it run', async () => {
  const rawClient = await harness.rawClient();
  const garbage = rawClient.send(harness.topics.jobs, Buffer.from('garbage'), { partition: 0 });
  await rawClient.answered([garbage]);
  assert.equal(rawClient.replyTo(garbage).error?.code, 'DECODE_FAILED');
  const letters = await harness.read(harness.topics.deadLetters('jobs'));
  assert.equal(letters.at(-1)?.value?.toString(), 'garbage');
  const unknown = await finished(client, { kind: 'no-such-task', parameters: { parts: '1' }, inputs: [] });
  assert.equal(unknown.state, 'FAILED');
});

test('a foreign program submits a job as JSON and gets one reply on the topic that it names', async () => {
  const rawClient = await harness.rawClient();
  const body = {
    id: 'foreign',
    parameters: { kind: 'reduce', operation: 'sum' },
    inputs: [{ name: 'values', datatype: 'FP64', shape: [4], data: [1, 2, 3, 4] }],
  };
  const correlation = rawClient.send(harness.topics.jobs, Buffer.from(JSON.stringify(body)), {
    headers: { 'content-type': Buffer.from('application/json') },
  });
  await rawClient.answered([correlation]);
  const [reply] = rawClient.replies.get(correlation) ?? [];
  const { outputs } = JSON.parse(reply?.value?.toString() ?? '{}') as { outputs: { data: number[] }[] };
  assert.deepEqual(outputs[0]?.data, [10]);
  assert.equal(reply?.headers['job-parts']?.toString(), '1');
});
