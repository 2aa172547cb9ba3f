import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './version-files.js';

/**
 * Computes one SHA-256 over the names and contents of all files of a version folder, as hexadecimal digits.
 * @throws Error as the file system throws it
 */
export async function hashFiles(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of await listFiles(directory))
    hash.update(`${name}\0${await hashFile(join(directory, name))}\n`);
  return hash.digest('hex');
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
