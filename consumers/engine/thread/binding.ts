/**
 * The native addon of tfjs-node, used directly for SavedModels: its JavaScript layer zeroes the high word of 64-bit integers
 * and creates tensor objects that are not needed here.
 */
export interface Binding {
  /**
   * Shares the memory of `values` with TensorFlow until the tensor is deleted; 64-bit integers are passed as pairs of
   * 32-bit words.
   */
  createTensor(
    shape: readonly number[],
    type: number,
    values: Float32Array | Int32Array | Uint8Array | Uint8Array[],
  ): number;
  deleteTensor(id: number): void;
  /** Copies the tensor's values; UINT8 is not supported. */
  tensorDataSync(id: number): Float32Array | Int32Array | BigInt64Array | Uint8Array | Uint8Array[];
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    ids: readonly number[],
    outputs: number,
  ): NativeTensor[];
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(
    session: number,
    ids: readonly number[],
    inputNames: string,
    outputNames: string,
  ): NativeTensor[];
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
}

export interface NativeTensor {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean;
}

/** Runs one native operation with one input and one output; the caller deletes the output. */
export function execute(
  binding: Binding,
  name: string,
  id: number,
  attributes: readonly OpAttribute[],
): number {
  const [output] = binding.executeOp(name, attributes, [id], 1);
  if (!output) throw new Error(`TensorFlow's ${name} returned no output`);
  return output.id;
}
