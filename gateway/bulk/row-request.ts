import { isDatatype } from '../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { InferenceRequest, Tensor, TensorStatus } from '../../schemas/generated.js';
import { encodeDense, toDense } from '../json/dense.js';
import { isNumberArray } from '../json/number-array.js';
import { signatureOf, type ServedVersion } from '../models/served-models.js';

/** Builds the request of one row: a value for the only input, or an object with a value for each input. */
export function rowRequest(row: unknown, served: ServedVersion): InferenceRequest {
  const { inputs } = signatureOf(served, undefined);
  return {
    id: '',
    model: served.model,
    modelVersion: null,
    inputs: inputs.map((spec) => rowTensor(valueOf(row, spec, inputs.length), spec)),
    outputs: [],
    parameters: {},
    deadline: null,
  };
}

function valueOf(row: unknown, { name }: TensorStatus, inputs: number): unknown {
  const isNamed = typeof row === 'object' && row !== null && !Array.isArray(row) && !isNumberArray(row);
  if (isNamed) {
    if (Object.hasOwn(row, name)) return (row as Record<string, unknown>)[name];
    throw invalidRequest(`row: expected a value for input '${name}', got none`);
  }
  if (inputs === 1) return row;
  throw invalidRequest(`row: expected an object with a value for each input, got another value`);
}

function rowTensor(value: unknown, { name, datatype }: TensorStatus): Tensor {
  if (!isDatatype(datatype))
    throw new PartituraError('DATATYPE_MISMATCH', `input '${name}': unknown ${datatype}`);
  const dense = toDense(value, `input '${name}'`);
  return {
    name,
    datatype,
    shape: [1, ...dense.shape],
    data: encodeDense(dense, datatype, `input '${name}'`),
  };
}
