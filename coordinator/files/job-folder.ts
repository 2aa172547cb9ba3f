import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { invalidRequest } from '../../schemas/errors.js';

/** The folder whose files jobs may read and write. */
export class JobFolder {
  /** @param root undefined if jobs may use no files */
  constructor(readonly root: string | undefined) {}

  /** @returns the path of a file to read @throws PartituraError INVALID_REQUEST unless it is in the folder */
  async input(name: string): Promise<string> {
    const path = this.#inside('input', name);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined)
      throw invalidRequest(`parameters.input: expected a file in the folder of jobs, got '${name}'`);
    return this.#check('input', name, real, await realpath(this.#root('input')));
  }

  /** @returns the path of a file to write; its folder exists @throws PartituraError INVALID_REQUEST unless it is in the folder */
  async output(name: string): Promise<string> {
    const path = this.#inside('output', name);
    await mkdir(dirname(path), { recursive: true });
    // A file that exists may be a link.
    const real = await realpath(path).catch(async () => join(await realpath(dirname(path)), basename(path)));
    this.#check('output', name, real, await realpath(this.#root('output')));
    return path;
  }

  #inside(field: string, name: string): string {
    const root = this.#root(field);
    return this.#check(field, name, join(root, name), root);
  }

  #root(field: string): string {
    if (this.root !== undefined) return this.root;
    throw invalidRequest(
      `parameters.${field}: expected no file, because the coordinator runs without --job-files; got one`,
    );
  }

  #check(field: string, name: string, path: string, root: string): string {
    const within = relative(root, path);
    if (within !== '' && !within.startsWith('..') && !isAbsolute(within)) return path;
    throw invalidRequest(`parameters.${field}: expected a file inside the folder of jobs, got '${name}'`);
  }
}
