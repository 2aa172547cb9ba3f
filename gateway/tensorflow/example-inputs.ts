import { isDatatype } from '../../schemas/datatypes.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { SignatureStatus, Tensor, TensorStatus } from '../../schemas/generated.js';
import { encodeElements } from '../../schemas/tensor.js';
import { encodeExample, type Example } from './example.js';

/** Name of the input that takes serialized examples. */
const SERIALIZED = 'inputs';

/**
 * Converts examples to the inputs of a signature: to serialized examples if that is what the model takes, otherwise
 * feature by feature.
 * @throws PartituraError INVALID_REQUEST that names the feature
 */
export function exampleInputs(examples: readonly Example[], { inputs }: SignatureStatus): Tensor[] {
  const [input] = inputs;
  if (
    inputs.length === 1 &&
    input?.datatype === 'BYTES' &&
    (input.name === SERIALIZED || input.shape.length === 1)
  )
    return [serialized(examples, input.name)];
  return inputs.map((spec) => featureColumn(examples, spec));
}

function serialized(examples: readonly Example[], name: string): Tensor {
  const data = encodeElements('BYTES', examples.map(encodeExample), name);
  return { name, datatype: 'BYTES', shape: [examples.length], data };
}

function featureColumn(examples: readonly Example[], { name, datatype, shape }: TensorStatus): Tensor {
  if (!isDatatype(datatype)) throw invalidRequest(`Feature: ${name} has unknown type ${datatype}`);
  const rows = examples.map((example) => valuesOf(example, name));
  const size = rows[0]?.length ?? 0;
  const different = rows.findIndex((row) => row.length !== size);
  if (different !== -1)
    throw invalidRequest(
      `Feature: ${name} has ${rows[different]?.length} values in example ${different} expecting: ${size}`,
    );
  const rest = shape.slice(1);
  const isScalar = shape.length === 1 && size === 1;
  const rowShape = isScalar ? [] : rest.length > 1 && !rest.includes(-1) ? rest : [size];
  return {
    name,
    datatype,
    shape: [examples.length, ...rowShape],
    data: encodeElements(datatype, rows.flat(), `feature '${name}'`),
  };
}

function valuesOf(example: Example, name: string): readonly unknown[] {
  const feature = Object.hasOwn(example, name) ? example[name] : undefined;
  const values = feature?.floatList?.value ?? feature?.int64List?.value ?? feature?.bytesList?.value;
  if (values) return values;
  throw invalidRequest(`Feature: ${name} is required but could not be found`);
}
