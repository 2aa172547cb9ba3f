import { PartituraError } from '../../schemas/errors.js';
import type { ServedModels, ServedVersion } from '../models/served-models.js';

/**
 * Finds the version that a model specification of TensorFlow Serving names.
 * @throws PartituraError with TensorFlow Serving's texts
 */
export function resolveVersion(
  models: ServedModels,
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
  const labeled = models.labels(model).get(label);
  if (labeled !== undefined) return models.resolve(model, labeled);
  throw new PartituraError('INVALID_REQUEST', `Unrecognized servable version label: ${label}`);
}
