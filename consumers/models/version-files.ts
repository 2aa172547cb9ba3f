import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Maximum folder depth; deeper folders are an error, so that no file is silently ignored. */
const MAX_LEVELS = 32;
/** Maximum number of files: nested links to folders can multiply a few files without bound. */
const MAX_FILES = 100_000;
/**
 * Prefix of folders in which Kubernetes stores the revisions of a mounted ConfigMap; links next to them point to the
 * current files.
 */
const HIDDEN_PREFIX = '..';

/**
 * Lists the files of a version folder as sorted relative paths. Symbolic links are followed; dangling ones are listed.
 * @throws Error of the file system, or if folders are too deep or contain too many files
 */
export async function listFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  await collect(files, directory, '', []);
  return files.sort();
}

/** @param above real paths of the parent folders; a link to one of them is a cycle */
async function collect(
  files: string[],
  root: string,
  folder: string,
  above: readonly string[],
): Promise<void> {
  const real = await realpath(join(root, folder));
  if (above.includes(real)) return;
  if (above.length === MAX_LEVELS)
    throw new Error(`expected at most ${MAX_LEVELS} levels of folders, got '${folder}'`);
  for (const entry of await readdir(real)) {
    if (entry.startsWith(HIDDEN_PREFIX)) continue;
    const name = join(folder, entry);
    const found = await stat(join(root, name)).catch(() => undefined);
    if (found?.isDirectory()) await collect(files, root, name, [...above, real]);
    else if (!found || found.isFile()) files.push(name);
    if (files.length > MAX_FILES) throw new Error(`expected at most ${MAX_FILES} files`);
  }
}
