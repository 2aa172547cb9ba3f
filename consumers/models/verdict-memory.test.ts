import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../../testing/records.js';
import { hashFiles } from './files-hash.js';
import { TestRepository } from '../../testing/model-repository.js';
import { VerdictMemory } from './verdict-memory.js';

const VERDICT = { batchable: false, reason: "output 'y' changes" };
const KEY = ['1', 'abc'];

test('a verdict is stored, also for the next process', async (context) => {
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
    'no temporary file is left',
  );
});

test('the result of a live check is not overwritten by a proof of this or another node', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  const [one, other] = [new VerdictMemory(folder, silent), new VerdictMemory(folder, silent)];
  const proven = { batchable: true, reason: 'rows are independent' };
  await one.remember(KEY, proven);
  assert.deepEqual(await other.recall(KEY), proven);
  await one.remember(KEY, VERDICT);
  assert.deepEqual(await other.remember(KEY, proven), VERDICT);
  for (const memory of [one, other, new VerdictMemory(folder, silent)])
    assert.deepEqual(await memory.recall(KEY), VERDICT);
});

test('a verdict cut short by time is overwritten by any other', async () => {
  const memory = new VerdictMemory(undefined, silent);
  const tooSlow = { batchable: false, reason: 'too slow', tries: 1 };
  await memory.remember(KEY, tooSlow);
  assert.deepEqual(await memory.recall(KEY), tooSlow);
  const proven = { batchable: true, reason: 'rows are independent' };
  assert.deepEqual(await memory.remember(KEY, proven), proven);
  assert.deepEqual(await memory.recall(KEY), proven);
});

test('without a writable folder, verdicts are kept in memory', async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('file');
  for (const folder of [undefined, join(repository.root, 'file')]) {
    const memory = new VerdictMemory(folder, silent);
    await memory.remember(KEY, VERDICT);
    assert.deepEqual(await memory.recall(KEY), VERDICT);
  }
});

test('an invalid file is ignored', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  await new VerdictMemory(folder, silent).remember(KEY, VERDICT);
  const [file = ''] = await readdir(join(folder, 'batching'));
  for (const text of ['', '{"batchable":true}', '{"batchable":"no","reason":"r"}']) {
    await writeFile(join(folder, 'batching', file), text);
    assert.equal(await new VerdictMemory(folder, silent).recall(KEY), undefined, text);
  }
});

test('the hash of files depends on all names and bytes, and on nothing else', async (context) => {
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

test('links are followed, also in a Kubernetes volume', async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('plain/model.onnx', 'one');
  await repository.write('plain/variables/data', 'two');
  const path = (name: string): string => join(repository.root, name);
  const hash = await hashFiles(path('plain'));
  for (const generation of ['..2026_01', '..2026_02']) {
    const folder = `linked-${generation}`;
    await repository.write(`${folder}/${generation}/model.onnx`, 'one');
    await repository.write('elsewhere/data', 'two');
    await symlink(generation, path(`${folder}/..data`));
    await symlink('..data/model.onnx', path(`${folder}/model.onnx`));
    await symlink(path('elsewhere'), path(`${folder}/variables`));
    assert.equal(await hashFiles(path(folder)), hash);
  }
  await repository.write('elsewhere/data', 'twp');
  assert.notEqual(await hashFiles(path('linked-..2026_01')), hash);
});

test('link cycles are handled; dangling links and overly deep folders are errors', async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('circle/deeper/data', 'one');
  const path = (name: string): string => join(repository.root, name);
  await symlink(path('circle'), path('circle/deeper/again'));
  await symlink('deeper', path('circle/other'));
  assert.match(await hashFiles(path('circle')), /^[0-9a-f]{64}$/);
  await mkdir(path('nowhere'));
  await symlink('missing', path('nowhere/link'));
  await assert.rejects(hashFiles(path('nowhere')), { code: 'ENOENT' });
  await repository.write(`deep/${'d/'.repeat(40)}data`);
  await assert.rejects(hashFiles(path('deep')), /expected at most 32 levels of folders/);
});
