import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scanRepository, type SkippedFolder } from './repository.js';
import { readModelSettings } from './settings.js';
import { SkippedFolders } from './skipped-folders.js';
import { TestRepository } from '../../testing/model-repository.js';

test('versions are sorted by number, and folders that cannot be served are reported', async (context) => {
  const repository = await TestRepository.create(context);
  const files = [
    ...['digits/10/x', 'digits/9/x', 'digits/0/x', 'digits/01/x', 'digits/v1/x', 'digits/README', 'digits/7'],
    ...['readme.md', '.hidden/1/x', 'digits/.tmp/x', 'no.model/1/x', 'my model/1/x', 'größe/1/x', 'empty/x'],
    `${'x'.repeat(200)}/1/x`,
  ];
  for (const file of files) await repository.write(file);
  await symlink('/nonexistent', join(repository.root, 'dangling'));
  const skipped: SkippedFolder[] = [];
  const content = await scanRepository(repository.root, (folder) => skipped.push(folder));
  assert.deepEqual(
    [...content].map(([model, folders]) => [model, folders.map(({ version }) => version)]),
    [['digits', ['0', '9', '10']]],
  );
  assert.equal(content.get('digits')?.[1]?.directory, join(repository.root, 'digits', '9'));
  const model = 'expected a model name of 1 to 100 letters, digits, _ and -';
  const version = 'expected a version number of at most 15 digits without leading zeros';
  assert.deepEqual(
    new Map(skipped.map(({ folder, reason }) => [folder, reason])),
    new Map([
      ['dangling', 'expected a symbolic link to a folder, got a dangling link'],
      ['digits/01', version],
      ['digits/v1', version],
      ['empty', 'expected version folders named 1, 2, 3, …, got none'],
      ['größe', model],
      ['my model', model],
      ['no.model', model],
      [`${'x'.repeat(150)}…`, model],
    ]),
  );
});

test('links to models, versions and files are followed', async (context) => {
  const [repository, elsewhere] = [
    await TestRepository.create(context),
    await TestRepository.create(context),
  ];
  await elsewhere.write('a/1/model.onnx', 'one');
  await elsewhere.write('b/model.onnx', 'two');
  await symlink(join(elsewhere.root, 'a'), join(repository.root, 'linked'));
  await repository.write('own/1/x');
  await symlink(join(elsewhere.root, 'b'), join(repository.root, 'own', '2'));
  await symlink(join(elsewhere.root, 'b', 'model.onnx'), join(repository.root, 'own', '3'));
  const scan = async (): Promise<string[]> =>
    [...(await scanRepository(repository.root)).values()]
      .flat()
      .map(({ model, version }) => `${model}/${version}`);
  assert.deepEqual(await scan(), ['linked/1', 'own/1', 'own/2']);
  const stamp = async (): Promise<string | undefined> =>
    (await scanRepository(repository.root)).get('linked')?.[0]?.stamp;
  const before = await stamp();
  await elsewhere.write('a/1/model.onnx', 'another');
  assert.notEqual(await stamp(), before);
});

test('a skipped folder is logged once while it exists', () => {
  const warnings: string[] = [];
  const skipped = new SkippedFolders({
    warn: (details: object) => warnings.push(JSON.stringify(details)),
  } as never);
  const [a, b] = ['a.b', 'c.d'].map((folder) => ({ folder, reason: 'expected another name' }));
  assert.ok(a && b);
  for (const found of [[a], [a, b], [a, b], [], [a]]) skipped.update(found);
  assert.deepEqual(
    warnings,
    [a, b, a].map((one) => JSON.stringify(one)),
  );
  assert.deepEqual(skipped.sentences, ["'a.b': expected another name"]);
  skipped.update(Array.from({ length: 50 }, (_, index) => ({ ...a, folder: String(index) })));
  assert.equal(skipped.sentences.length, 20);
});

test("a version's stamp changes with its files at any depth, and only then", async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('m/1/variables/data', 'a');
  const stamp = async (): Promise<string | undefined> =>
    (await scanRepository(repository.root)).get('m')?.[0]?.stamp;
  const first = await stamp();
  assert.equal(await stamp(), first);
  await repository.write('m/1/variables/data', 'ab');
  const second = await stamp();
  await repository.write('m/1/another');
  assert.equal(new Set([first, second, await stamp()]).size, 3);
});

test("a version's stamp changes with files in linked folders", async (context) => {
  const repository = await TestRepository.create(context);
  await repository.write('elsewhere/data', 'a');
  await repository.write('models/m/1/model.onnx');
  await symlink(join(repository.root, 'elsewhere'), join(repository.root, 'models/m/1/variables'));
  const stamp = async (): Promise<string | undefined> =>
    (await scanRepository(join(repository.root, 'models'))).get('m')?.[0]?.stamp;
  const first = await stamp();
  await repository.write('elsewhere/data', 'ab');
  assert.notEqual(await stamp(), first);
});

test('an unreadable root is named in the error', async () => {
  await assert.rejects(scanRepository('/does/not/exist'), {
    code: 'INVALID_REQUEST',
    message: /got '\/does\/not\/exist'/,
  });
});

test('model.yaml may set any option or be missing', async (context) => {
  const repository = await TestRepository.create(context);
  assert.deepEqual(await readModelSettings(repository.root), {});
  await repository.write('model.yaml', '');
  assert.deepEqual(await readModelSettings(repository.root), {});
  await repository.write('model.yaml', 'maxBatchRows: 8\nmaxBatchDelayMs: 0\nwarmUp: false\n');
  assert.deepEqual(await readModelSettings(repository.root), {
    maxBatchRows: 8,
    maxBatchDelayMs: 0,
    warmUp: false,
  });
});

test('an invalid model.yaml is rejected with the invalid field', async (context) => {
  const repository = await TestRepository.create(context);
  const cases: [string, RegExp][] = [
    ['maxBatchRows: 0', /maxBatchRows/],
    ['warmUp: maybe', /warmUp/],
    ['maxBatchRow: 8', /maxBatchRow/],
    ['- a', /model\.yaml/],
    ['a: [', /model\.yaml/],
  ];
  for (const [text, message] of cases) {
    await repository.write('model.yaml', text);
    await assert.rejects(readModelSettings(repository.root), { code: 'INVALID_REQUEST', message }, text);
  }
});
