import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { scanRepository } from './repository.js';
import { readModelSettings } from './settings.js';
import { TestRepository } from './test-repository.js';

test('versions are found in the order of their numbers, everything else is passed over', async (context) => {
  const repository = await TestRepository.create(context);
  const files = [
    'digits/10/x',
    'digits/9/x',
    'digits/0/x',
    'digits/01/x',
    'digits/v1/x',
    'digits/README',
    'readme.md',
    'no.model/1/x',
    'empty/x',
  ];
  for (const file of files) await repository.write(file);
  const content = await scanRepository(repository.root);
  assert.deepEqual(
    [...content].map(([model, folders]) => [model, folders.map(({ version }) => version)]),
    [['digits', ['0', '9', '10']]],
  );
  assert.equal(content.get('digits')?.[1]?.directory, join(repository.root, 'digits', '9'));
});

test("a version's stamp changes with its files, however deep, and only then", async (context) => {
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

test('a root that can not be read is named', async () => {
  await assert.rejects(scanRepository('/does/not/exist'), {
    code: 'INVALID_REQUEST',
    message: /got '\/does\/not\/exist'/,
  });
});

test('model.yaml may set what it likes, or not be there', async (context) => {
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

test('a wrong model.yaml is refused with the field that is wrong', async (context) => {
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
