import { PartituraError } from '../../schemas/errors.js';
import type { CallerModels } from '../models/caller-models.js';
import type { ServedVersion } from '../models/served-models.js';
import { versionLabeled } from './resolve-version.js';

/** State of a version, as TensorFlow Serving reports it. */
export interface ModelVersionState {
  readonly version: string;
  readonly state: 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';
  readonly status: { readonly error_code: 'OK' | 'UNKNOWN'; readonly error_message: string };
}

/** Returns the states of a model's versions, newest first. @throws PartituraError MODEL_NOT_FOUND */
export function modelStatus(
  models: CallerModels,
  {
    model,
    version,
    label,
  }: { readonly model: string; readonly version?: string | undefined; readonly label?: string | undefined },
): ModelVersionState[] {
  const versions = models.find(model)?.versions ?? [];
  const wanted = label === undefined ? version : versionLabeled(models, model, label);
  const found = versions.filter((one) => wanted === undefined || one.version === wanted);
  if (found.length > 0) return found.map(stateOf);
  if (wanted === undefined) throw notFound(`Could not find any versions of model ${model}`);
  throw notFound(`Could not find version ${wanted} of model ${model}`);
}

const STATES: Readonly<Record<string, ModelVersionState['state']>> = {
  LOADING: 'LOADING',
  AVAILABLE: 'AVAILABLE',
  UNLOADING: 'UNLOADING',
  FAILED: 'END',
};

function stateOf({ version, state, message }: ServedVersion): ModelVersionState {
  const error_code = state === 'FAILED' ? 'UNKNOWN' : 'OK';
  return { version, state: STATES[state] ?? 'START', status: { error_code, error_message: message } };
}

function notFound(message: string): PartituraError {
  return new PartituraError('MODEL_NOT_FOUND', message);
}
