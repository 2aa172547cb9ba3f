import { invalidRequest, PartituraError } from '../../schemas/errors.js';
import type { CallerModels } from '../models/caller-models.js';
import type { ServedVersion } from '../models/served-models.js';

/**
 * Finds the version that a model specification of TensorFlow Serving names.
 * @throws PartituraError with TensorFlow Serving's texts
 */
export function resolveVersion(
  models: CallerModels,
  {
    model,
    version,
    label,
  }: { readonly model: string; readonly version?: string | undefined; readonly label?: string | undefined },
): ServedVersion {
  if (label === undefined) {
    if (models.find(model)?.versions.some((one) => version === undefined || one.version === version))
      return models.resolve(model, version);
    const asked = version === undefined ? `Latest(${model})` : `Specific(${model}, ${version})`;
    throw new PartituraError('MODEL_NOT_FOUND', `Servable not found for request: ${asked}`);
  }
  return models.resolve(model, versionLabeled(models, model, label));
}

/** Returns the version that a label names. @throws PartituraError INVALID_REQUEST for an unknown label */
export function versionLabeled(models: CallerModels, model: string, label: string): string {
  const version = models.labels(model).get(label);
  if (version !== undefined) return version;
  throw invalidRequest(`Unrecognized servable version label: ${label}`);
}
