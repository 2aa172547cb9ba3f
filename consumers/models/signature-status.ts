import type { SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import type { TensorSpec } from '../engine/engine.js';
import type { RefusedSignature, ServedSignatures } from './served-signatures.js';
import type { ServedVersion } from './served-version.js';

/** One way to tell of a version's signatures in a node status. */
export interface SignatureForm {
  readonly signatures: readonly SignatureStatus[];
  /** What is left out. */
  readonly note: string | null;
  /** As JSON. */
  readonly bytes: number;
}

/** Bytes, as JSON, that the signatures of all versions may take: a status is published every two seconds. */
export const SIGNATURES_BUDGET = 64 * 1024;
const FEW_LABELS = 8;

/** Describes all signatures of a version, the default one first. */
export function describeSignatures({ main, others, refused }: ServedSignatures): SignatureStatus[] {
  return [...[main, ...others].map(describeServed), ...refused.map(describeRefused)];
}

function describeServed({ signature, signatureNames, batching, measured }: ServedVersion): SignatureStatus {
  return {
    name: signatureNames?.loaded ?? null,
    inputs: signature.inputs.map(describeTensor),
    outputs: signature.outputs.map(describeTensor),
    batching,
    measured,
    problem: null,
  };
}

function describeRefused({ name, error }: RefusedSignature): SignatureStatus {
  return { name, inputs: [], outputs: [], batching: null, measured: null, problem: error.message };
}

function describeTensor({ name, datatype, shape, dimensionNames, labels }: TensorSpec): TensorStatus {
  return {
    name,
    datatype,
    shape: [...shape],
    dimensionNames: [...(dimensionNames ?? [])],
    labels: [...(labels ?? [])],
    labelCount: labels?.length ?? 0,
  };
}

/** Lists the forms in which signatures can be told, from the most detailed one to nothing. */
export function formsOf(signatures: readonly SignatureStatus[]): SignatureForm[] {
  return [
    formOf(signatures, null),
    formOf(withTensors(signatures, fewLabels), `only the first ${FEW_LABELS} labels of an output are told`),
    formOf(withTensors(signatures, bare), 'labels and names of dimensions are left out'),
    LEFT_OUT,
  ];
}

const LEFT_OUT: SignatureForm = {
  signatures: [],
  note: 'left out: too long for the status of the node',
  bytes: 0,
};

function formOf(signatures: readonly SignatureStatus[], note: string | null): SignatureForm {
  const bytes = signatures.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(signatures));
  return { signatures, note, bytes };
}

/**
 * Chooses a form for each version so that all fit; the longest are shortened first. Readers ignore a status that is too
 * large.
 * @param versions the forms of each version
 */
export function fitForms(
  versions: readonly (readonly SignatureForm[])[],
  budget = SIGNATURES_BUDGET,
): SignatureForm[] {
  for (let most = budget; ; most = Math.floor(most / 2)) {
    const chosen = versions.map((forms) => forms.find(({ bytes }) => bytes <= most) ?? LEFT_OUT);
    if (chosen.reduce((sum, { bytes }) => sum + bytes, 0) <= budget) return chosen;
  }
}

/** Completes a form, whose tensors stay as they are, with the verdicts of now. */
export function withVerdicts(
  { signatures }: SignatureForm,
  { main, others }: Pick<ServedSignatures, 'main' | 'others'>,
): SignatureStatus[] {
  const served = [main, ...others];
  return signatures.map((signature, index) => ({ ...signature, batching: served[index]?.batching ?? null }));
}

function withTensors(
  signatures: readonly SignatureStatus[],
  change: (tensor: TensorStatus) => TensorStatus,
): SignatureStatus[] {
  return signatures.map((signature) => ({
    ...signature,
    inputs: signature.inputs.map(change),
    outputs: signature.outputs.map(change),
  }));
}

function fewLabels(tensor: TensorStatus): TensorStatus {
  return { ...tensor, labels: tensor.labels.slice(0, FEW_LABELS) };
}

function bare(tensor: TensorStatus): TensorStatus {
  return { ...tensor, dimensionNames: [], labels: [] };
}
