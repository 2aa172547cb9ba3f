import type { CallerModels } from '../models/caller-models.js';
import { isAvailable } from '../models/served-models.js';

/** A version in the index of the model repository. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  readonly reason: string;
}

/** Lists the versions of all models. @param readyOnly leaves out those that are not available */
export function repositoryIndex(models: CallerModels, readyOnly: boolean): IndexEntry[] {
  return models
    .all()
    .flatMap(({ versions }) => versions)
    .filter((version) => !readyOnly || isAvailable(version))
    .map((version) => ({
      name: version.model,
      version: version.version,
      state: isAvailable(version) ? 'READY' : 'UNAVAILABLE',
      reason: version.message,
    }));
}
