import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders in folders; deeper ones are an error, as files must not be missed in silence. */
const MOST_LEVELS = 32;
/** Links to folders that hold links may make any number of files out of a few. */
const MOST_FILES = 100_000;
/** Kubernetes keeps the generations of a mounted ConfigMap there; links beside them lead to the current files. */
const HIDDEN_PREFIX = '..';

/**
 * Lists the files of a version folder by their paths relative to it, in order. Links to files and folders count as what
 * they lead to; a link that leads nowhere is listed.
 * @throws Error as the file system throws it, or where folders are too deep or hold too many files
 */
export async function listFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  await collect(files, directory, '', []);
  return files.sort();
}

/** @param above real paths of the folders that lead here: a link to one of them leads here again */
async function collect(
  files: string[],
  root: string,
  folder: string,
  above: readonly string[],
): Promise<void> {
  const real = await realpath(join(root, folder));
  if (above.includes(real)) return;
  if (above.length === MOST_LEVELS)
    throw new Error(`expected at most ${MOST_LEVELS} levels of folders, got '${folder}'`);
  for (const entry of await readdir(real)) {
    if (entry.startsWith(HIDDEN_PREFIX)) continue;
    const name = join(folder, entry);
    const found = await stat(join(root, name)).catch(() => undefined);
    if (found?.isDirectory()) await collect(files, root, name, [...above, real]);
    else if (!found || found.isFile()) files.push(name);
    if (files.length > MOST_FILES) throw new Error(`expected at most ${MOST_FILES} files`);
  }
}
