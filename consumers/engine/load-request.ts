import type { ModelSource } from './engine.js';
import type { EngineRequest } from './thread/messages.js';

/**
 * Builds the question that has a model loaded.
 * @param defaultCores where the source does not say how many
 */
export function loadRequest(key: number, source: ModelSource, defaultCores: number): EngineRequest {
  const { directory, format, cores = defaultCores, signature } = source;
  return { kind: 'load', key, directory, format, cores, ...(signature !== undefined && { signature }) };
}
