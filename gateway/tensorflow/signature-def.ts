import type { SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import { DEFAULT_SIGNATURE, type ServedVersion } from '../models/served-models.js';
import { dataTypeName } from './data-types.js';

const METHODS = 'tensorflow/serving';

/** A tensor of a signature, as TensorFlow's `TensorInfo` in JSON. */
interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly tensor_shape: {
    readonly dim: readonly { readonly size: string; readonly name: string }[];
    readonly unknown_rank: boolean;
  };
}

export interface SignatureDef {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
  readonly method_name: string;
}

/** Returns the signatures of a version by name, as TensorFlow's `SignatureDef`s in JSON. */
export function signatureDefs({ status }: ServedVersion): Record<string, SignatureDef> {
  return Object.fromEntries(
    status.signatures.map((signature) => [signature.name ?? DEFAULT_SIGNATURE, signatureDef(signature)]),
  );
}

function signatureDef(signature: SignatureStatus): SignatureDef {
  return {
    inputs: tensorInfos(signature.inputs),
    outputs: tensorInfos(signature.outputs),
    method_name: `${METHODS}/${methodOf(signature)}`,
  };
}

/** Derives the method from the names of inputs and outputs, by which TensorFlow's own exporters mark it. */
function methodOf({ inputs, outputs }: SignatureStatus): 'predict' | 'classify' | 'regress' {
  const [input] = inputs;
  if (inputs.length !== 1 || input?.name !== 'inputs' || input.datatype !== 'BYTES') return 'predict';
  const names = outputs.map(({ name }) => name);
  if (names.length === 1 && names[0] === 'outputs') return 'regress';
  return names.every((name) => name === 'classes' || name === 'scores') ? 'classify' : 'predict';
}

function tensorInfos(tensors: readonly TensorStatus[]): Record<string, TensorInfo> {
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape, dimensionNames }) => [
      name,
      {
        name,
        dtype: dataTypeName(datatype),
        tensor_shape: {
          dim: shape.map((size, index) => ({ size: String(size), name: dimensionNames[index] ?? '' })),
          unknown_rank: false,
        },
      },
    ]),
  );
}
