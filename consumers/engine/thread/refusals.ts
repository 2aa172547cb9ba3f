import { PartituraError } from '../../../schemas/errors.js';

const MAX_LENGTH = 300;

/** A model that this engine can't serve, and what its owner can do about it. */
export function refusal(reason: string, wayOut: string): PartituraError {
  return new PartituraError('MODEL_FAILED', `${reason}; ${wayOut}`);
}

/** The first sentence of what TensorFlow says: the rest lists graph nodes that no caller knows. */
export function firstSentence(message: string): string {
  const stated = message.replace(/^Session fail to run with error: /, '');
  const lines = stated.split('\n');
  const summary = /^\d+ root error/.test(stated) ? lines[1]?.replace(/^\s*\(\d+\)\s*/, '') : lines[0];
  const sentence = /^.*?[.!?](?=\s|$)/.exec(summary ?? '')?.[0] ?? summary ?? '';
  return sentence.length > MAX_LENGTH ? `${sentence.slice(0, MAX_LENGTH)}…` : sentence;
}
