import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isModelName } from '../../core/topics.js';
import { PartituraError } from '../../schemas/errors.js';

/** One `<model>/<version>/` folder as it is on disk now. */
export interface VersionFolder {
  readonly model: string;
  readonly version: string;
  readonly directory: string;
  /** Changes when any file in the folder does: names, sizes and times of change. */
  readonly stamp: string;
}

/** Versions by model, each in ascending order. */
export type RepositoryContent = ReadonlyMap<string, readonly VersionFolder[]>;

/**
 * Looks at a model repository: `<root>/<model>/<integer version>/`. Other files and folders are passed over.
 * @throws PartituraError INVALID_REQUEST when the root can't be read
 */
export async function scanRepository(root: string): Promise<RepositoryContent> {
  const models = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    const message = `model repository: expected a readable folder, got '${root}'`;
    throw new PartituraError('INVALID_REQUEST', message, { cause });
  });
  const content = new Map<string, VersionFolder[]>();
  for (const entry of models) {
    if (!entry.isDirectory() || !isModelName(entry.name)) continue;
    const versions = await scanModel(join(root, entry.name), entry.name);
    if (versions.length > 0) content.set(entry.name, versions);
  }
  return content;
}

async function scanModel(directory: string, model: string): Promise<VersionFolder[]> {
  const entries = await listIfThere(directory);
  const versions = entries
    .filter((name) => /^(0|[1-9][0-9]{0,14})$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
  return Promise.all(
    versions.map(async (version) => {
      const folder = join(directory, version);
      return { model, version, directory: folder, stamp: await stampOf(folder) };
    }),
  );
}

async function stampOf(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const lines = await Promise.all(
    names.sort().map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found ? `${name} ${found.size} ${found.mtimeMs}` : '';
    }),
  );
  return lines.join('\n');
}

/** A folder may vanish while it is being looked at: then it holds nothing. */
async function listIfThere(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
