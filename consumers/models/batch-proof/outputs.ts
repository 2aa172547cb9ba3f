import { PartituraError } from '../../../schemas/errors.js';
import type { EngineResult } from '../../engine/engine.js';
import { ComparedOutput } from './compare.js';
import { Difference } from './findings.js';
import type { PlannedRun } from './plan.js';

/** The outputs of one run; those of a request alone are what others are compared with. */
export type AloneOutputs = readonly ComparedOutput[];

export function compared(outputs: EngineResult['outputs']): AloneOutputs {
  return outputs.map(({ name, datatype, shape, data }) => {
    const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return new ComparedOutput({ name, datatype, shape, data: buffer });
  });
}

/**
 * Recognizes values that the model computes but does not understand, such as a mask of other numbers than 0 and 1: NaN
 * equals NaN whatever the rows beside it.
 */
export function saysNothing(outputs: AloneOutputs): boolean {
  const floats = outputs.filter(({ isFloat }) => isFloat);
  return floats.length > 0 && floats.every(({ isWhollyNonFinite }) => isWhollyNonFinite);
}

export function areAllLike(first: AloneOutputs | undefined, outputs: AloneOutputs): boolean {
  return outputs.every((output, index) => {
    const reference = first?.[index];
    for (let row = 0; row < (output.rows ?? 0); row++)
      if (!reference?.hasSameBytes(0, output, row)) return false;
    return true;
  });
}

export function requireRows(outputs: AloneOutputs, expected: number): void {
  const other = outputs.find(({ rows }) => rows !== expected);
  if (!other) return;
  const found = other.rows === undefined ? 'no dimensions' : rowsText(other.rows);
  throw new Difference(`output '${other.tensor.name}' has ${found} for ${rowsText(expected)} of input`);
}

export function rowsText(rows: number): string {
  return `${rows} row${rows === 1 ? '' : 's'}`;
}

export function changesWithOthers(name: string): string {
  return `output '${name}' of a request changes with the requests beside it`;
}

export function isTogether(run: PlannedRun): boolean {
  return run.length > 1;
}

export function refusedTogether(run: PlannedRun, error: PartituraError): string {
  return isTogether(run)
    ? `the model refuses requests together that it answers alone: ${reasonOf(error)}`
    : `the model refuses a part of a request that it answers whole: ${reasonOf(error)}`;
}

/** The runtime's reason, without the name of the model, which the reader knows. */
export function reasonOf({ message, cause }: PartituraError): string {
  return cause instanceof PartituraError ? cause.message : message;
}
