import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { JobFolder } from './job-folder.js';
import { NpyOutput, openNpy } from './npy.js';

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'partitura-npy-'))));
after(() => rm(folder, { recursive: true }));

const bytesOf = (...numbers: number[]): Buffer => Buffer.from(new Float64Array(numbers).buffer);

test('an array that is written in parts, and continued by another writer, is read back by its rows', async () => {
  const path = join(folder, 'a.npy');
  const first = await NpyOutput.open(path, [3, 2], 0);
  await first.write(bytesOf(1, 2));
  const { position } = first;
  await first.write(bytesOf(-1, -1, -1, -1, -1, -1));
  await first.close();
  const second = await NpyOutput.open(path, [3, 2], position);
  await second.write(bytesOf(3, 4, 5, 6));
  await second.close();
  const input = await openNpy(path, 'a');
  assert.deepEqual(input.shape, [3, 2]);
  assert.deepEqual([...(await input.rows(1, 3))], [3, 4, 5, 6]);
  await input.close();
  // NumPy aligns the elements at 64 bytes.
  assert.equal((await readFile(path)).length, 128 + 6 * 8);
});

test('float32 is read exactly, other types, orders and short files are refused by name', async () => {
  const write = async (header: string, data: Buffer): Promise<string> => {
    const path = join(folder, 'b.npy');
    const length = Buffer.alloc(2);
    length.writeUInt16LE(header.length);
    await writeFile(
      path,
      Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), data]),
    );
    return path;
  };
  const header = (type: string, order = 'False', shape = '(2,)'): string =>
    `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
  const floats = Buffer.from(new Float32Array([0.1, 2]).buffer);
  const input = await openNpy(await write(header('<f4'), floats), 'b');
  assert.deepEqual([...(await input.rows(0, 2))], [Math.fround(0.1), 2]);
  await input.close();
  await assert.rejects(
    openNpy(await write(header('<i8'), floats), 'b'),
    /b: expected float64 or float32 .*got '<i8'/,
  );
  await assert.rejects(
    openNpy(await write(header('<f8', 'True', '(1, 1)'), floats), 'b'),
    /b: expected C order/,
  );
  await assert.rejects(
    openNpy(await write(header('<f8'), floats), 'b'),
    /b: expected \d+ bytes for shape \[2\], got/,
  );
  await writeFile(join(folder, 'c.npy'), 'not numpy at all');
  await assert.rejects(openNpy(join(folder, 'c.npy'), 'c'), /c: expected a \.npy file/);
});

test('jobs reach no file outside their folder, not by links either', async () => {
  const files = new JobFolder(folder);
  await symlink('/etc/hostname', join(folder, 'link.npy'));
  await symlink('/tmp', join(folder, 'out'));
  for (const name of ['../x.npy', '/etc/passwd', '..', 'missing.npy', 'link.npy'])
    await assert.rejects(files.input(name), { code: 'INVALID_REQUEST' }, name);
  for (const name of ['../x.npy', 'out/x.npy', 'link.npy'])
    await assert.rejects(files.output(name), { code: 'INVALID_REQUEST' }, name);
  await assert.rejects(new JobFolder(undefined).input('x'), /runs without --job-files/);
});
