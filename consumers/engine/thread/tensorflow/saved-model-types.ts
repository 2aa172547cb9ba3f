import type { Datatype } from '../../../../schemas/datatypes.js';

/** Data type numbers of TensorFlow's `types.proto`. */
export const DT_INT32 = 3;
export const DT_UINT8 = 4;
export const DT_STRING = 7;

const SERVED: ReadonlyMap<number, Datatype> = new Map([
  [1, 'FP32'],
  [DT_INT32, 'INT32'],
  [DT_UINT8, 'UINT8'],
  [DT_STRING, 'BYTES'],
  [9, 'INT64'],
  [10, 'BOOL'],
]);

const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [2, 'FP64'],
  [5, 'INT16'],
  [6, 'INT8'],
  [8, 'COMPLEX64'],
  [11, 'QINT8'],
  [12, 'QUINT8'],
  [13, 'QINT32'],
  [14, 'BF16'],
  [15, 'QINT16'],
  [16, 'QUINT16'],
  [17, 'UINT16'],
  [18, 'COMPLEX128'],
  [19, 'FP16'],
  [20, 'RESOURCE'],
  [21, 'VARIANT'],
  [22, 'UINT32'],
  [23, 'UINT64'],
]);

/** Maps a TensorFlow type to a data type, undefined if tfjs-node does not support it. */
export function servedDatatype(dt: number): Datatype | undefined {
  return SERVED.get(dt);
}

/** Returns a readable name of any type. */
export function typeName(dt: number): string {
  return SERVED.get(dt) ?? UNSUPPORTED.get(dt) ?? `TensorFlow type ${dt}`;
}
