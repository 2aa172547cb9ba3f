import type { GraphModel, LayersModel } from '@tensorflow/tfjs';
import type { Datatype } from '../../../../schemas/datatypes.js';
import type { ModelSignature, TensorSpec } from '../../engine.js';
import { unservableModel } from '../refusals.js';

/** A tensor in `model.json`, as written by the TensorFlow.js converter. */
interface ConvertedTensor {
  readonly dtype?: string;
  readonly tensorShape?: {
    readonly dim?: readonly { readonly size?: string | number }[];
    readonly unknownRank?: boolean;
  };
}

interface ConvertedSignature {
  readonly inputs?: Readonly<Record<string, ConvertedTensor>>;
  readonly outputs?: Readonly<Record<string, ConvertedTensor>>;
}

interface DescribedTensor {
  readonly name: string;
  readonly shape?: readonly (number | null)[] | null;
  readonly dtype: string;
}

/**
 * Data types by declared type. TensorFlow.js computes in four types only; the converter and the loader map all others to
 * them, and the signature reports the types actually computed.
 */
const COMPUTED_AS: Readonly<Record<string, Datatype>> = {
  float32: 'FP32',
  int32: 'INT32',
  bool: 'BOOL',
  string: 'BYTES',
  DT_FLOAT: 'FP32',
  DT_DOUBLE: 'FP32',
  DT_HALF: 'FP32',
  DT_INT32: 'INT32',
  DT_INT64: 'INT32',
  DT_INT8: 'INT32',
  DT_UINT8: 'INT32',
  DT_BOOL: 'BOOL',
  DT_STRING: 'BYTES',
};

/** Returns the signature with the names of the original SavedModel; older files only have graph node names. */
export function graphSignature(model: GraphModel): ModelSignature {
  const { inputs, outputs } = model.modelSignature as ConvertedSignature;
  if (!inputs || !outputs)
    return {
      inputs: describedTensors(model.inputs, 'input'),
      outputs: describedTensors(model.outputs, 'output'),
    };
  return { inputs: convertedTensors(inputs, 'input'), outputs: convertedTensors(outputs, 'output') };
}

/** Returns the signature of a layers model, whose tensors are named after input and output layers. */
export function layersSignature(model: LayersModel): ModelSignature {
  const named = (tensors: readonly DescribedTensor[], names: readonly string[]) =>
    tensors.map((tensor, index) => ({ ...pick(tensor), name: names[index] ?? tensor.name }));
  return {
    inputs: describedTensors(named(model.inputs, model.inputNames), 'input'),
    outputs: describedTensors(named(model.outputs, model.outputNames), 'output'),
  };
}

function pick({ name, shape, dtype }: DescribedTensor): DescribedTensor {
  return { name, dtype, ...(shape && { shape }) };
}

function convertedTensors(tensors: Readonly<Record<string, ConvertedTensor>>, role: string): TensorSpec[] {
  return Object.keys(tensors)
    .sort()
    .map((name) => {
      const { dtype, tensorShape } = tensors[name] ?? {};
      const shape = tensorShape?.unknownRank
        ? null
        : (tensorShape?.dim ?? []).map(({ size }) => Number(size ?? 0));
      return spec(name, String(dtype), shape, `${role} '${name}'`);
    });
}

function describedTensors(tensors: readonly DescribedTensor[], role: string): TensorSpec[] {
  return tensors.map(({ name, dtype, shape }) => spec(name, dtype, shape, `${role} '${name}'`));
}

function spec(
  name: string,
  type: string,
  shape: readonly (number | null)[] | null | undefined,
  title: string,
): TensorSpec {
  const datatype = COMPUTED_AS[type];
  if (!datatype)
    throw unservableModel(
      `${title} is ${type}, which TensorFlow.js does not support`,
      'cast it inside the model before converting it',
    );
  // An unknown rank becomes an empty shape: the runtime checks the rank.
  return { name, datatype, shape: (shape ?? []).map((size) => size ?? -1) };
}
