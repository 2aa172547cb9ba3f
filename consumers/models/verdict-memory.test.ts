import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../../testing/records.js';
import { hashFiles } from './files-hash.js';
import { TestRepository } from '../../testing/model-repository.js';
import { VerdictMemory } from './verdict-memory.js';

const VERDICT = { batchable: false, reason: "output 'y' changes" };
const KEY = ['1', 'abc'];

test('a verdict is remembered, by the next process too', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  const memory = new VerdictMemory(join(folder, 'not', 'there'), silent);
  assert.equal(await memory.recall(KEY), undefined);
  await memory.remember(KEY, VERDICT);
  assert.deepEqual(await memory.recall(KEY), VERDICT);
  const next = new VerdictMemory(join(folder, 'not', 'there'), silent);
  assert.deepEqual(await next.recall(KEY), VERDICT);
  assert.equal(await next.recall(['2', 'abc']), undefined);
  assert.equal(
    (await readdir(join(folder, 'not', 'there', 'batching'))).length,
    1,
    'nothing unfinished is left',
  );
});

test('without a folder that can be written, verdicts are kept in memory', async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('file');
  for (const folder of [undefined, join(repository.root, 'file')]) {
    const memory = new VerdictMemory(folder, silent);
    await memory.remember(KEY, VERDICT);
    assert.deepEqual(await memory.recall(KEY), VERDICT);
  }
});

test('what is no verdict is not taken for one', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  await new VerdictMemory(folder, silent).remember(KEY, VERDICT);
  const [file = ''] = await readdir(join(folder, 'batching'));
  for (const text of ['', '{"batchable":true}', '{"batchable":"no","reason":"r"}']) {
    await writeFile(join(folder, 'batching', file), text);
    assert.equal(await new VerdictMemory(folder, silent).recall(KEY), undefined, text);
  }
});

test('the hash of files changes with any name and any byte, and with nothing else', async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('a/model.onnx', 'one');
  await repository.write('a/variables/data', 'two');
  await repository.write('b/model.onnx', 'one');
  await repository.write('b/variables/data', 'two');
  const hashOf = (folder: string): Promise<string> => hashFiles(join(repository.root, folder));
  const hash = await hashOf('a');
  assert.equal(await hashOf('b'), hash);
  await repository.write('b/variables/data', 'twp');
  assert.notEqual(await hashOf('b'), hash);
  await repository.write('a/more', '');
  assert.notEqual(await hashOf('a'), hash);
});
