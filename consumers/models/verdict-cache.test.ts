import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../../testing/records.js';
import { hashFiles } from './files-hash.js';
import { TestRepository } from '../../testing/model-repository.js';
import { VerdictCache } from './verdict-cache.js';

const VERDICT = { batchable: false, reason: "output 'y' changes" };
const KEY = ['1', 'abc'];

test('a verdict is stored, also for the next process', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  const memory = new VerdictCache(join(folder, 'not', 'there'), silent);
  assert.equal(await memory.get(KEY), undefined);
  await memory.store(KEY, VERDICT);
  assert.deepEqual(await memory.get(KEY), VERDICT);
  const next = new VerdictCache(join(folder, 'not', 'there'), silent);
  assert.deepEqual(await next.get(KEY), VERDICT);
  assert.equal(await next.get(['2', 'abc']), undefined);
  assert.equal(
    (await readdir(join(folder, 'not', 'there', 'batching'))).length,
    1,
    'no temporary file is left',
  );
});

test('the result of a live check is not overwritten by a proof of this or another node', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  const [one, other] = [new VerdictCache(folder, silent), new VerdictCache(folder, silent)];
  const proven = { batchable: true, reason: 'rows are independent' };
  await one.store(KEY, proven);
  assert.deepEqual(await other.get(KEY), proven);
  await one.store(KEY, VERDICT);
  assert.deepEqual(await other.store(KEY, proven), VERDICT);
  for (const memory of [one, other, new VerdictCache(folder, silent)])
    assert.deepEqual(await memory.get(KEY), VERDICT);
});

test('a verdict cut short by time is overwritten by any other', async () => {
  const memory = new VerdictCache(undefined, silent);
  const tooSlow = { batchable: false, reason: 'too slow', tries: 1 };
  await memory.store(KEY, tooSlow);
  assert.deepEqual(await memory.get(KEY), tooSlow);
  const proven = { batchable: true, reason: 'rows are independent' };
  assert.deepEqual(await memory.store(KEY, proven), proven);
  assert.deepEqual(await memory.get(KEY), proven);
});

test('without a writable folder, verdicts are kept in memory', async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('file');
  for (const folder of [undefined, join(repository.root, 'file')]) {
    const memory = new VerdictCache(folder, silent);
    await memory.store(KEY, VERDICT);
    assert.deepEqual(await memory.get(KEY), VERDICT);
  }
});

test('an invalid file is ignored', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  await new VerdictCache(folder, silent).store(KEY, VERDICT);
  const [file = ''] = await readdir(join(folder, 'batching'));
  for (const text of ['', '{"batchable":true}', '{"batchable":"no","reason":"r"}']) {
    await writeFile(join(folder, 'batching', file), text);
    assert.equal(await new VerdictCache(folder, silent).get(KEY), undefined, text);
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
