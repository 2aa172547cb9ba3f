import { invalidRequest } from '../../../schemas/errors.js';

/** Paths are matched without regard to case; names and labels keep theirs. */
const PREDICTION =
  /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(classify|regress|predict)$/i;
const MODEL = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(?:\/(metadata))?$/i;

export type Method = 'classify' | 'regress' | 'predict';

/** The model that a path names, by version, label or neither. */
export interface ModelPath {
  readonly model: string;
  readonly version: string | undefined;
  readonly label: string | undefined;
}

/** Parses the path of a prediction; undefined if it is another path. */
export function parsePrediction(path: string): (ModelPath & { readonly method: Method }) | undefined {
  const [, model, version, label, method] = PREDICTION.exec(path) ?? [];
  if (model === undefined || method === undefined) return undefined;
  return { ...modelPath(model, version, label), method: method.toLowerCase() as Method };
}

/** Parses the path of a model's status or metadata; undefined if it is another path. */
export function parseModel(path: string): (ModelPath & { readonly isMetadata: boolean }) | undefined {
  const match = MODEL.exec(path);
  if (!match) return undefined;
  const [, model, version, label, metadata] = match;
  if (model === undefined) throw invalidRequest('Missing model name in request.');
  return { ...modelPath(model, version, label), isMetadata: metadata !== undefined };
}

function modelPath(model: string, version: string | undefined, label: string | undefined): ModelPath {
  return {
    model: decoded(model),
    version: version === undefined ? undefined : String(BigInt(version)),
    label: label === undefined ? undefined : decoded(label),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidRequest(`Failed to decode model name: ${text}`);
  }
}
