import { ELEMENT_BYTES, elementCount, formatShape, type Datatype } from '../../schemas/datatypes.js';
import { PartituraError } from '../../schemas/errors.js';
import { splitBytes } from '../../schemas/tensor.js';

/** Checks that raw bytes fill a shape. @throws PartituraError SHAPE_MISMATCH or INVALID_REQUEST */
export function checkRaw(data: Buffer, datatype: Datatype, shape: readonly number[], field: string): Buffer {
  const count = elementCount(shape);
  const elementBytes = ELEMENT_BYTES[datatype];
  const got = elementBytes === undefined ? splitBytes(data).length : data.length / elementBytes;
  if (got === count) return data;
  throw new PartituraError(
    'SHAPE_MISMATCH',
    `${field}: expected ${count} elements of ${datatype} for shape ${formatShape(shape)}, got ${data.length} bytes`,
  );
}
