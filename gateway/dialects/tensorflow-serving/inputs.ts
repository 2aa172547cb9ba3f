import { isDatatype, type Datatype } from '../../../schemas/datatypes.js';
import { invalidRequest } from '../../../schemas/errors.js';
import type { TensorStatus } from '../../../schemas/generated.js';

/** Returns the only input of a signature. @throws PartituraError if there are several */
export function onlyInput(specs: readonly TensorStatus[], problem: string): TensorStatus {
  const [input] = specs;
  if (input && specs.length === 1) return input;
  throw invalidRequest(`${problem} as multiple input tensors required as per tensorinfo_map`);
}

/** Returns the data type of an input; unknown ones cannot be sent in JSON. */
export function datatypeOf({ name, datatype }: TensorStatus): Datatype {
  if (isDatatype(datatype)) return datatype;
  throw invalidRequest(`Conversion of JSON Value for input '${name}' to type: ${datatype}`);
}
