import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TensorStatus } from '../../schemas/generated.js';
import { rowGroups } from './rows.js';

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'partitura-rows-'))));
after(() => rm(folder, { recursive: true }));

const LIMITS = { rows: 2, bytes: 1_000 };
const inputOf = (name: string, datatype = 'FP64'): TensorStatus => ({
  name,
  datatype,
  shape: [-1, -1],
  dimensionNames: [],
  labels: [],
  labelCount: 0,
});

async function read(
  name: string,
  text: string,
  inputs: TensorStatus[],
  limits = LIMITS,
): Promise<unknown[][]> {
  const path = join(folder, name);
  await writeFile(path, text);
  const groups: unknown[][] = [];
  for await (const tensors of rowGroups(path, inputs, limits))
    groups.push(tensors.map(({ data }) => [...new Float64Array(new Uint8Array(data).buffer)]));
  return groups;
}

test('columns keep their order, also where their names are numbers', async () => {
  const text = 'x,10,2\n1,2,3\n4,5,6\n7,8,9\n';
  assert.deepEqual(await read('a.csv', text, [inputOf('values')]), [[[1, 2, 3, 4, 5, 6]], [[7, 8, 9]]]);
  const named = await read('b.csv', 'b,c,a\n1,2,3\n', [inputOf('a'), inputOf('b')]);
  assert.deepEqual(named, [[[3], [1]]]);
  await assert.rejects(
    read('c.csv', 'a,a\n1,2\n', [inputOf('v')]),
    /expected each column once, got 'a' twice/,
  );
});

test('groups hold at most so many bytes, judged by the first row', async () => {
  const lines = '[1,2,3,4]\n'.repeat(5);
  const groups = await read('d.ndjson', lines, [inputOf('v')], { rows: 100, bytes: 64 });
  assert.deepEqual(
    groups.map(([values]) => (values as number[]).length / 4),
    [2, 2, 1],
  );
});

test('a file that cannot be read ends with its error', async () => {
  for (const name of ['e.csv', 'e.ndjson']) {
    await mkdir(join(folder, name));
    await assert.rejects(async () => {
      for await (const _group of rowGroups(join(folder, name), [inputOf('v')], LIMITS)) assert.fail();
    }, name);
  }
});
