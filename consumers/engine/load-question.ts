import type { ModelSource } from './engine.js';
import type { Question } from './thread/messages.js';

/**
 * Builds the question that has a model loaded.
 * @param defaultCores where the source does not say how many
 */
export function loadQuestion(key: number, source: ModelSource, defaultCores: number): Question {
  const { directory, format, cores = defaultCores, signature } = source;
  return { kind: 'load', key, directory, format, cores, ...(signature !== undefined && { signature }) };
}
