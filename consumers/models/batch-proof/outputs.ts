import { PartituraError } from '../../../schemas/errors.js';
import type { EngineResult } from '../../engine/engine.js';
import { ComparedOutput } from './compare.js';
import { Difference } from './findings.js';
import type { PlannedRun } from './plan.js';

/** The outputs of one run; those of a request alone are the reference for batches. */
export type RunOutputs = readonly ComparedOutput[];

export function compared(outputs: EngineResult['outputs']): RunOutputs {
  return outputs.map(({ name, datatype, shape, data }) => {
    const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return new ComparedOutput({ name, datatype, shape, data: buffer });
  });
}

/**
 * True if all float outputs are non-finite, which happens for values that make no sense to the model, such as a mask with
 * values other than 0 and 1. Such outputs prove nothing, since NaN equals NaN whatever the other rows.
 */
export function isUninformative(outputs: RunOutputs): boolean {
  const floats = outputs.filter(({ isFloat }) => isFloat);
  return floats.length > 0 && floats.every(({ isEntirelyNonFinite }) => isEntirelyNonFinite);
}

export function areAllIdentical(first: RunOutputs | undefined, outputs: RunOutputs): boolean {
  return outputs.every((output, index) => {
    const reference = first?.[index];
    for (let row = 0; row < (output.rows ?? 0); row++)
      if (!reference?.hasSameBytes(0, output, row)) return false;
    return true;
  });
}

export function requireRows(outputs: RunOutputs, expected: number): void {
  const other = outputs.find(({ rows }) => rows !== expected);
  if (!other) return;
  const found = other.rows === undefined ? 'no dimensions' : rowsText(other.rows);
  throw new Difference(`output '${other.tensor.name}' has ${found} for ${rowsText(expected)} of input`);
}

export function rowsText(rows: number): string {
  return `${rows} row${rows === 1 ? '' : 's'}`;
}

export function dependsOnOthers(name: string): string {
  return `output '${name}' of a request depends on other requests in the batch`;
}

export function hasSeveralSegments(run: PlannedRun): boolean {
  return run.length > 1;
}

export function rejectedInBatch(run: PlannedRun, error: PartituraError): string {
  return hasSeveralSegments(run)
    ? `the model rejects requests in a batch that it accepts alone: ${reasonOf(error)}`
    : `the model rejects a part of a request that it accepts as a whole: ${reasonOf(error)}`;
}

/** Returns the runtime's reason without the model name, which is clear from the context. */
export function reasonOf({ message, cause }: PartituraError): string {
  return cause instanceof PartituraError ? cause.message : message;
}
