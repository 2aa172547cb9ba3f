import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { csvRecords, elementOf } from './csv.js';

async function read(source: Readable): Promise<[string, string][][]> {
  const records: [string, string][][] = [];
  for await (const record of csvRecords(source, 1_000)) records.push([...record]);
  return records;
}

test('columns keep their order, also where their names are numbers', async () => {
  assert.deepEqual(await read(Readable.from(['x,10,2\n1,2,3\n'])), [
    [
      ['x', '1'],
      ['10', '2'],
      ['2', '3'],
    ],
  ]);
});

test('two columns of one name, records of another length and errors of the source are refused', async () => {
  await assert.rejects(read(Readable.from(['a,a\n1,2\n'])), /expected each column once, got 'a' twice/);
  await assert.rejects(read(Readable.from(['a,b\n1\n'])), { code: 'INVALID_REQUEST', message: /^CSV: / });
  const broken = new Readable({ read: () => broken.destroy(new Error('the disk is gone')) });
  await assert.rejects(read(broken), /the disk is gone/);
});

test('cells are elements of the data type, or name the cell', () => {
  assert.equal(elementOf('9007199254740993', 'INT64', 'cell'), 9007199254740993n);
  assert.equal(elementOf('NaN', 'FP32', 'cell'), NaN);
  assert.throws(() => elementOf('', 'FP32', 'cell'), /cell: expected FP32, got ''/);
  assert.equal(elementOf('TRUE', 'BOOL', 'cell'), true);
  assert.throws(() => elementOf('maybe', 'BOOL', 'cell'), /cell: expected true or false, got 'maybe'/);
  assert.throws(() => elementOf('1.5', 'INT32', 'cell'), /cell: expected INT32, got '1\.5'/);
});
