import { PartituraError } from '../../schemas/errors.js';
import type { ServedModel, ServedModels, ServedVersion } from './served-models.js';

/** The models of the cluster as a caller sees them. */
export type CallerModels = Pick<ServedModels, 'all' | 'find' | 'resolve' | 'labels'>;

/** The models that a caller may use. Others are as if they did not exist, so that nobody learns their names. */
export class PermittedModels implements CallerModels {
  constructor(
    readonly models: CallerModels,
    readonly mayUse: (model: string) => boolean,
  ) {}

  all(): readonly ServedModel[] {
    return this.models.all().filter(({ name }) => this.mayUse(name));
  }

  find(name: string): ServedModel | undefined {
    return this.mayUse(name) ? this.models.find(name) : undefined;
  }

  resolve(name: string, version?: string): ServedVersion {
    if (this.mayUse(name)) return this.models.resolve(name, version);
    throw unknownModel(name);
  }

  labels(model: string): ReadonlyMap<string, string> {
    return this.mayUse(model) ? this.models.labels(model) : new Map();
  }
}

/** Creates the error for a model that does not exist, in the words of KServe's clients. */
export function unknownModel(name: string): PartituraError {
  return new PartituraError('MODEL_NOT_FOUND', `Request for unknown model: '${name}' is not found`);
}
