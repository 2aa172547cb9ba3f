import type { Datatype } from '../../schemas/datatypes.js';

/** TensorFlow's data types. https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/types.proto */
const DATA_TYPES = {
  FP32: { name: 'DT_FLOAT', number: 1 },
  FP64: { name: 'DT_DOUBLE', number: 2 },
  INT32: { name: 'DT_INT32', number: 3 },
  UINT8: { name: 'DT_UINT8', number: 4 },
  INT16: { name: 'DT_INT16', number: 5 },
  INT8: { name: 'DT_INT8', number: 6 },
  BYTES: { name: 'DT_STRING', number: 7 },
  INT64: { name: 'DT_INT64', number: 9 },
  BOOL: { name: 'DT_BOOL', number: 10 },
  UINT16: { name: 'DT_UINT16', number: 17 },
  FP16: { name: 'DT_HALF', number: 19 },
  UINT32: { name: 'DT_UINT32', number: 22 },
  UINT64: { name: 'DT_UINT64', number: 23 },
} as const satisfies Record<Datatype, { readonly name: string; readonly number: number }>;

/** Returns TensorFlow's name of a data type; `DT_INVALID` for an unknown one. */
export function dataTypeName(datatype: string): string {
  return DATA_TYPES[datatype as Datatype]?.name ?? 'DT_INVALID';
}

/** Returns TensorFlow's number of a data type; 0 for an unknown one. */
export function dataTypeNumber(datatype: string): number {
  return DATA_TYPES[datatype as Datatype]?.number ?? 0;
}

/** Inverse of both: accepts a name or a number; undefined for a type that the cluster does not have. */
export function datatypeOfDataType(dataType: string | number): Datatype | undefined {
  const found = Object.entries(DATA_TYPES).find(
    ([, { name, number }]) => name === dataType || number === dataType,
  );
  return found?.[0] as Datatype | undefined;
}
