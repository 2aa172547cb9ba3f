import type { Logger } from '../../core/log.js';
import type { SkippedFolder } from './repository.js';

/** As many as a node tells the cluster of: a status has a size that others rely on. */
const MAX_TOLD = 20;

/** Folders of the repository that cannot be a model or a version, each warned of once for as long as it is there. */
export class SkippedFolders {
  #folders: ReadonlyMap<string, SkippedFolder> = new Map();

  constructor(readonly log: Pick<Logger, 'warn'>) {}

  /** Takes what the last look at the repository has found. */
  update(found: readonly SkippedFolder[]): void {
    const known = this.#folders;
    this.#folders = new Map(found.map((one) => [one.folder, one]));
    for (const { folder, reason } of found)
      if (known.get(folder)?.reason !== reason) this.log.warn({ folder, reason }, 'model folder skipped');
  }

  /** One sentence for each, as many as a status has room for. */
  get sentences(): string[] {
    return [...this.#folders.values()]
      .slice(0, MAX_TOLD)
      .map(({ folder, reason }) => `'${folder}': ${reason}`);
  }
}
