import type { Logger } from '../../core/log.js';
import type { SkippedFolder } from './repository.js';

/** Maximum number of folders in a node status, whose size is bounded. */
const MAX_REPORTED = 20;

/**
 * Folders of the repository that are neither a model nor a version. A warning is logged once per folder while it exists.
 */
export class SkippedFolders {
  #folders: ReadonlyMap<string, SkippedFolder> = new Map();

  constructor(readonly log: Pick<Logger, 'warn'>) {}

  /** Updates the folders with those found by the last poll. */
  update(found: readonly SkippedFolder[]): void {
    const known = this.#folders;
    this.#folders = new Map(found.map((one) => [one.folder, one]));
    for (const { folder, reason } of found)
      if (known.get(folder)?.reason !== reason)
        this.log.warn({ folder, reason }, 'invalid model folder; skipping it');
  }

  /** Descriptions of the folders, as many as fit into a node status. */
  get sentences(): string[] {
    return [...this.#folders.values()]
      .slice(0, MAX_REPORTED)
      .map(({ folder, reason }) => `'${folder}': ${reason}`);
  }
}
