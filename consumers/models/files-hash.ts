import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './version-files.js';

/**
 * Computes a SHA-256 hash, in hexadecimal, over the names and contents of all files of a version folder.
 * @throws Error of the file system
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
