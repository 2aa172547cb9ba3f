import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isModelName } from '../../schemas/model-name.js';
import { PartituraError } from '../../schemas/errors.js';
import { listFiles } from './version-files.js';

/** A `<model>/<version>/` folder on disk. */
export interface VersionFolder {
  readonly model: string;
  readonly version: string;
  readonly directory: string;
  /** Names, sizes and modification times of all files in the folder. */
  readonly stamp: string;
  /** True in a folder of tasks, which holds code instead of models. */
  readonly isTask?: boolean;
}

/** Versions by model, each in ascending order. */
export type RepositoryContent = ReadonlyMap<string, readonly VersionFolder[]>;

/** A folder that is not a valid model or version, with the reason. */
export interface SkippedFolder {
  /** Path relative to the repository. */
  readonly folder: string;
  readonly reason: string;
}

const VERSION = /^(0|[1-9][0-9]{0,14})$/;
const MAX_NAME_CHARACTERS = 150;

/**
 * Scans a model repository: `<root>/<model>/<integer version>/`. Symbolic links are followed. Files and hidden entries
 * (names with a leading dot) are ignored; other folders that cannot be served are reported to `onSkipped`.
 * @throws PartituraError INVALID_REQUEST if the root cannot be read
 */
export async function scanRepository(
  root: string,
  onSkipped: (skipped: SkippedFolder) => void = () => undefined,
): Promise<RepositoryContent> {
  const models = await foldersIn(root, onSkipped).catch((cause: unknown) => {
    const message = `model repository: expected a readable folder, got '${root}'`;
    throw new PartituraError('INVALID_REQUEST', message, { cause });
  });
  const content = new Map<string, VersionFolder[]>();
  for (const model of models) {
    const skip = (reason: string): void => onSkipped({ folder: truncated(model), reason });
    if (!isModelName(model)) {
      skip('expected a model name of 1 to 100 letters, digits, _ and -');
      continue;
    }
    const versions = await scanModel(join(root, model), model, onSkipped);
    if (versions.length > 0) content.set(model, versions);
    else skip('expected version folders named 1, 2, 3, …, got none');
  }
  return content;
}

/**
 * Scans a model repository and folders of tasks, which are laid out likewise. A task whose name is taken is skipped.
 * @throws PartituraError INVALID_REQUEST if one of them cannot be read
 */
export async function scanRepositories(
  { root, tasks }: { readonly root: string; readonly tasks: readonly string[] },
  onSkipped: (skipped: SkippedFolder) => void,
): Promise<RepositoryContent> {
  const content = new Map(await scanRepository(root, onSkipped));
  for (const folder of tasks) {
    for (const [task, versions] of await scanRepository(folder, onSkipped)) {
      if (content.has(task))
        onSkipped({ folder: task, reason: `expected another name for this task: '${task}' is taken` });
      else
        content.set(
          task,
          versions.map((version) => ({ ...version, isTask: true })),
        );
    }
  }
  return content;
}

async function scanModel(
  directory: string,
  model: string,
  onSkipped: (skipped: SkippedFolder) => void,
): Promise<VersionFolder[]> {
  const inModel = (skipped: SkippedFolder): void =>
    onSkipped({ ...skipped, folder: `${model}/${skipped.folder}` });
  // The folder may be deleted during the scan; it then counts as empty.
  const folders = await foldersIn(directory, inModel).catch(() => []);
  const reason = 'expected a version number of at most 15 digits without leading zeros';
  for (const folder of folders) if (!VERSION.test(folder)) inModel({ folder: truncated(folder), reason });
  const versions = folders.filter((name) => VERSION.test(name)).sort((a, b) => Number(a) - Number(b));
  return Promise.all(
    versions.map(async (version) => {
      const folder = join(directory, version);
      return { model, version, directory: folder, stamp: await stampOf(folder) };
    }),
  );
}

/** Lists the sorted names of folders, including links to folders. */
async function foldersIn(directory: string, onSkipped: (skipped: SkippedFolder) => void): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(async (entry) => {
        if (!entry.isSymbolicLink()) return entry.isDirectory() ? [entry.name] : [];
        const target = await stat(join(directory, entry.name)).catch(() => undefined);
        if (target) return target.isDirectory() ? [entry.name] : [];
        const reason = 'expected a symbolic link to a folder, got a dangling link';
        onSkipped({ folder: truncated(entry.name), reason });
        return [];
      }),
  );
  return names.flat().sort();
}

/** Truncates a folder name, whose length only the file system limits. */
function truncated(name: string): string {
  return name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS)}…` : name;
}

async function stampOf(folder: string): Promise<string> {
  const names = await listFiles(folder).catch(() => []);
  const lines = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found ? `${name} ${found.size} ${found.mtimeMs}` : '';
    }),
  );
  return lines.join('\n');
}
