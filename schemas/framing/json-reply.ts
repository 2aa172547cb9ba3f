import { readAnsweredBy } from './answered-by.js';
import { headerText, type RecordHeaders, type ReplySummary } from './framing.js';

/**
 * Reads the JSON body of a reply.
 * @param fallbackId the id of the event around a body without one
 */
export function readJsonReply(
  { id, model_version: version, error }: Record<string, unknown>,
  headers: RecordHeaders,
  fallbackId?: unknown,
): ReplySummary {
  const code = headerText(headers, 'inference-error');
  return {
    id: text(id) ?? text(fallbackId) ?? '',
    modelVersion: text(version) ?? null,
    error: typeof error === 'string' ? { code, message: error } : null,
    ...readAnsweredBy(headers),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
