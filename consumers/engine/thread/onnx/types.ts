import type { Datatype } from '../../../../schemas/datatypes.js';

/** Name and typed array of a data type in ONNX Runtime's JavaScript API; BYTES are strings and have no view. */
export interface OnnxType {
  readonly name: string;
  readonly view?: (buffer: ArrayBuffer) => NodeJS.TypedArray;
}

export const ONNX_TYPES: Readonly<Record<Datatype, OnnxType>> = {
  BOOL: { name: 'bool', view: (buffer) => new Uint8Array(buffer) },
  UINT8: { name: 'uint8', view: (buffer) => new Uint8Array(buffer) },
  UINT16: { name: 'uint16', view: (buffer) => new Uint16Array(buffer) },
  UINT32: { name: 'uint32', view: (buffer) => new Uint32Array(buffer) },
  UINT64: { name: 'uint64', view: (buffer) => new BigUint64Array(buffer) },
  INT8: { name: 'int8', view: (buffer) => new Int8Array(buffer) },
  INT16: { name: 'int16', view: (buffer) => new Int16Array(buffer) },
  INT32: { name: 'int32', view: (buffer) => new Int32Array(buffer) },
  INT64: { name: 'int64', view: (buffer) => new BigInt64Array(buffer) },
  FP16: { name: 'float16', view: (buffer) => new Uint16Array(buffer) },
  FP32: { name: 'float32', view: (buffer) => new Float32Array(buffer) },
  FP64: { name: 'float64', view: (buffer) => new Float64Array(buffer) },
  BYTES: { name: 'string' },
};

/** Data types by `TensorProto.DataType` number: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const DATATYPES: ReadonlyMap<number, Datatype> = new Map([
  [1, 'FP32'],
  [2, 'UINT8'],
  [3, 'INT8'],
  [4, 'UINT16'],
  [5, 'INT16'],
  [6, 'INT32'],
  [7, 'INT64'],
  [8, 'BYTES'],
  [9, 'BOOL'],
  [10, 'FP16'],
  [11, 'FP64'],
  [12, 'UINT32'],
  [13, 'UINT64'],
]);

const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [14, 'COMPLEX64'],
  [15, 'COMPLEX128'],
  [16, 'BF16'],
  [17, 'FP8'],
  [18, 'FP8'],
  [19, 'FP8'],
  [20, 'FP8'],
  [21, 'UINT4'],
  [22, 'INT4'],
]);

/** Maps an ONNX element type to a data type, undefined if it is unsupported. */
export function onnxDatatype(type: number): Datatype | undefined {
  return DATATYPES.get(type);
}

/** Returns a readable name of any element type. */
export function onnxTypeName(type: number): string {
  return DATATYPES.get(type) ?? UNSUPPORTED.get(type) ?? `ONNX type ${type}`;
}
