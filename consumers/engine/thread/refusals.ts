import { PartituraError } from '../../../schemas/errors.js';

const MAX_LENGTH = 1_000;

/** A model that this engine can't serve, and what its owner can do about it. */
export function refusal(reason: string, wayOut: string): PartituraError {
  return new PartituraError('MODEL_FAILED', `${reason}; ${wayOut}`);
}

/**
 * Shortens what a runtime says of a failure to its reason and advice, without the lists of graph nodes and calls that follow:
 * no caller knows them.
 */
export function runtimeReason(message: string): string {
  const stated = message.replace(/^Session fail to run with error: /, '');
  const lines = stated.split('\n');
  const told = /^\d+ root error/.test(stated) ? lines.slice(1, 2).map(withoutNumber) : beforeNodes(lines);
  const reason = told.join(' ').replace(ASSERTION, '$1]').replace(NODE_VALUES, '').trim();
  return reason.length > MAX_LENGTH ? `${reason.slice(0, MAX_LENGTH)}…` : reason;
}

/** An assertion that failed: its message, and then the values, which may be those of other callers in the batch. */
const ASSERTION = /^(.*?assertion failed: \[[^\]]*?)\s*\].*$/s;
/** Values of other checks, and what follows them. */
const NODE_VALUES = /\s*\[x = \].*$/s;
const NODE_LIST = /^\s*\[\[|^Function call stack|^Stack trace|^\s*at /;

function beforeNodes(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => NODE_LIST.test(line));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function withoutNumber(line: string): string {
  return line.replace(/^\s*\(\d+\)\s*/, '');
}
