import { elementCount } from '../../schemas/datatypes.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { ownBuffer } from './float-tensors.js';

/** An array of float64 in C order that is read by its first dimension. */
export interface ArrayInput {
  readonly shape: readonly number[];
  /** Reads rows `begin` to `end`, exclusive. */
  rows(begin: number, end: number): Promise<Float64Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Reads an input that came with the job. @throws PartituraError DATATYPE_MISMATCH unless it is FP64 or FP32 */
export function inlineArray({ name, datatype, shape, data }: Tensor): ArrayInput {
  if (datatype !== 'FP64' && datatype !== 'FP32')
    throw invalidRequest(`input '${name}': expected FP64 or FP32, got ${datatype}`);
  const perRow = elementCount(shape.slice(1));
  const expected = elementCount(shape) * (datatype === 'FP64' ? 8 : 4);
  if (data.length !== expected)
    throw invalidRequest(`input '${name}': expected ${expected} bytes for its shape, got ${data.length}`);
  const elements =
    datatype === 'FP64'
      ? new Float64Array(ownBuffer(data))
      : Float64Array.from(new Float32Array(ownBuffer(data)));
  return {
    shape,
    rows: (begin, end) => Promise.resolve(elements.slice(begin * perRow, end * perRow)),
    close: () => Promise.resolve(),
  };
}
