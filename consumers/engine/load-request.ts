import type { ModelSource } from './engine.js';
import type { EngineRequest } from './thread/messages.js';

/**
 * Builds the request that loads a model.
 * @param defaultCores number of cores if the source does not specify one
 */
export function loadRequest(key: number, source: ModelSource, defaultCores: number): EngineRequest {
  const { directory, format, cores = defaultCores, signature } = source;
  return { kind: 'load', key, directory, format, cores, ...(signature !== undefined && { signature }) };
}
