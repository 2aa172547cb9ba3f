import { PartituraError } from '../../../schemas/errors.js';

const MAX_LENGTH = 1_000;

/** Creates the error for a model that cannot be served, with a remedy. */
export function unservableModel(reason: string, remedy: string): PartituraError {
  return new PartituraError('MODEL_FAILED', `${reason}; ${remedy}`);
}

/**
 * Shortens a runtime's error message to its reason and advice, without the graph nodes and stack traces that follow, which
 * mean nothing to callers.
 */
export function runtimeReason(message: string): string {
  const stated = message.replace(/^Session fail to run with error: /, '');
  const lines = stated.split('\n');
  const kept = /^\d+ root error/.test(stated) ? lines.slice(1, 2).map(stripListNumber) : beforeNodes(lines);
  const reason = kept.join(' ').replace(ASSERTION, '$1]').replace(NODE_VALUES, '').trim();
  return reason.length > MAX_LENGTH ? `${reason.slice(0, MAX_LENGTH)}…` : reason;
}

/** A failed assertion: its message, followed by values, which may belong to other callers in the batch. */
const ASSERTION = /^(.*?assertion failed: \[[^\]]*?)\s*\].*$/s;
/** Values of other failed checks, and everything after them. */
const NODE_VALUES = /\s*\[x = \].*$/s;
const NODE_LIST = /^\s*\[\[|^Function call stack|^Stack trace|^\s*at /;

function beforeNodes(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => NODE_LIST.test(line));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function stripListNumber(line: string): string {
  return line.replace(/^\s*\(\d+\)\s*/, '');
}
