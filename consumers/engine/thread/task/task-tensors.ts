import type { Datatype } from '../../../../schemas/datatypes.js';
import { PartituraError } from '../../../../schemas/errors.js';
import type { TensorSpec } from '../../engine.js';
import { elementsOf, joinBytes, ownBuffer } from '../elements.js';

type ElementArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A tensor as tasks see it: row-major elements, BYTES as one Buffer each; BOOL as 0 and 1, FP16 as its bits. */
export interface TaskTensor {
  readonly shape: readonly number[];
  readonly data: ElementArray | readonly (Uint8Array | string)[];
}

const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<Exclude<Datatype, 'BYTES'>, unknown>;

/** Returns the elements of an input, without a copy. @throws PartituraError INVALID_REQUEST for BYTES that are cut off */
export function dataOf(
  datatype: Datatype,
  buffer: ArrayBuffer,
  shape: readonly number[],
): TaskTensor['data'] {
  if (datatype === 'BYTES') return elementsOf(buffer, shape).map((element) => Buffer.from(element));
  return new ARRAYS[datatype](buffer);
}

/** Returns the bytes of an output. @throws PartituraError MODEL_FAILED if its elements are of another type */
export function bytesOf({ name, datatype }: TensorSpec, { data }: TaskTensor): ArrayBuffer {
  if (datatype === 'BYTES') {
    if (Array.isArray(data))
      return joinBytes(
        (data as readonly (Uint8Array | string)[]).map((element) =>
          typeof element === 'string' ? Buffer.from(element) : element,
        ),
      );
    throw new PartituraError('MODEL_FAILED', `output '${name}': expected an array of texts or bytes`);
  }
  const expected = ARRAYS[datatype];
  if (data instanceof expected) return ownBuffer(data);
  throw new PartituraError('MODEL_FAILED', `output '${name}': expected data in a ${expected.name}`);
}
