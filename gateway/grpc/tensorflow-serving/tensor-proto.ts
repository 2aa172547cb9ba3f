import type { Datatype } from '../../../schemas/datatypes.js';
import type { Tensor } from '../../../schemas/generated.js';
import { decodeElements, splitBytes } from '../../../schemas/tensor.js';
import { dataTypeName } from '../../tensorflow/data-types.js';

/** A tensor as protobuf message: its elements are in `tensor_content` or in the field of its data type. */
export interface TensorProto {
  readonly dtype: string | number;
  readonly tensor_shape: TensorShapeProto | null;
  readonly tensor_content: Buffer;
  readonly float_val: readonly number[];
  readonly double_val: readonly number[];
  readonly int_val: readonly number[];
  readonly string_val: readonly Buffer[];
  readonly int64_val: readonly string[];
  readonly bool_val: readonly boolean[];
  readonly half_val: readonly number[];
  readonly uint32_val: readonly number[];
  readonly uint64_val: readonly string[];
}

interface TensorShapeProto {
  readonly dim: readonly { readonly size: string }[];
  readonly unknown_rank: boolean;
}

export type ValueField =
  | 'float_val'
  | 'double_val'
  | 'int_val'
  | 'string_val'
  | 'int64_val'
  | 'bool_val'
  | 'half_val'
  | 'uint32_val'
  | 'uint64_val';

/** Field with the elements of each data type. */
export const VALUE_FIELDS: Readonly<Record<Datatype, ValueField>> = {
  FP32: 'float_val',
  FP64: 'double_val',
  INT32: 'int_val',
  INT16: 'int_val',
  INT8: 'int_val',
  UINT8: 'int_val',
  UINT16: 'int_val',
  BYTES: 'string_val',
  INT64: 'int64_val',
  BOOL: 'bool_val',
  FP16: 'half_val',
  UINT32: 'uint32_val',
  UINT64: 'uint64_val',
};

/**
 * Encodes an output. Elements go to the field of their data type, as TensorFlow Serving writes them by default: many
 * clients read `float_val` and nothing else.
 */
export function encodeTensorProto({ datatype, shape, data }: Tensor): object {
  return {
    dtype: dataTypeName(datatype),
    tensor_shape: { dim: shape.map((size) => ({ size })) },
    [VALUE_FIELDS[datatype as Datatype]]: valuesOf(datatype as Datatype, data),
  };
}

function valuesOf(datatype: Datatype, data: Buffer): unknown[] {
  switch (datatype) {
    case 'BYTES':
      return splitBytes(data);
    case 'FP16':
      return decodeElements('UINT16', data);
    case 'INT64':
    case 'UINT64':
      return decodeElements(datatype, data).map(String);
    default:
      return decodeElements(datatype, data);
  }
}
