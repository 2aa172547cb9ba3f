import type { Datatype } from '../../../../schemas/datatypes.js';
import { ELEMENT_ARRAYS, type ElementArray } from '../../../../schemas/element-arrays.js';
import { PartituraError } from '../../../../schemas/errors.js';
import type { TensorSpec } from '../../engine.js';
import { elementsOf, joinBytes, ownBuffer } from '../elements.js';

/** A tensor as tasks see it: row-major elements, BYTES as one Buffer each; BOOL as 0 and 1, FP16 as its bits. */
export interface TaskTensor {
  readonly shape: readonly number[];
  readonly data: ElementArray | readonly (Uint8Array | string)[];
}

/** Returns the elements of an input, without a copy. @throws PartituraError INVALID_REQUEST for BYTES that are cut off */
export function dataOf(
  datatype: Datatype,
  buffer: ArrayBuffer,
  shape: readonly number[],
): TaskTensor['data'] {
  if (datatype === 'BYTES') return elementsOf(buffer, shape).map((element) => Buffer.from(element));
  return new ELEMENT_ARRAYS[datatype](buffer);
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
  const expected = ELEMENT_ARRAYS[datatype];
  if (data instanceof expected) return ownBuffer(data);
  throw new PartituraError('MODEL_FAILED', `output '${name}': expected data in a ${expected.name}`);
}
