import type { SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import type { TensorSpec } from '../engine/engine.js';
import type { FailedSignature, ServedSignatures } from './served-signatures.js';
import type { ServedVersion } from './served-version.js';

/** A representation of a version's signatures in a node status, complete or abridged. */
export interface SignatureForm {
  readonly signatures: readonly SignatureStatus[];
  /** Description of what is omitted. */
  readonly note: string | null;
  /** Size as JSON. */
  readonly bytes: number;
}

/** Maximum size of all signatures in a status, as JSON; kept small because a status is published every two seconds. */
export const SIGNATURES_BUDGET = 64 * 1024;
const FEW_LABELS = 8;

/** Describes all signatures of a version, starting with the default one. */
export function describeSignatures({ main, others, failed }: ServedSignatures): SignatureStatus[] {
  return [...[main, ...others].map(describeServed), ...failed.map(describeFailed)];
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

function describeFailed({ name, error }: FailedSignature): SignatureStatus {
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

/** Returns the representations of signatures, from the most detailed to none. */
export function formsOf(signatures: readonly SignatureStatus[]): SignatureForm[] {
  return [
    formOf(signatures, null),
    formOf(
      withTensors(signatures, fewLabels),
      `only the first ${FEW_LABELS} labels of each output are included`,
    ),
    formOf(withTensors(signatures, bare), 'labels and dimension names are omitted'),
    OMITTED,
  ];
}

const OMITTED: SignatureForm = {
  signatures: [],
  note: 'omitted: too large for the node status',
  bytes: 0,
};

function formOf(signatures: readonly SignatureStatus[], note: string | null): SignatureForm {
  const bytes = signatures.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(signatures));
  return { signatures, note, bytes };
}

/**
 * Chooses a form for each version so that all fit the budget, abridging the largest first: readers ignore an oversized
 * status.
 * @param versions the forms of each version
 */
export function fitForms(
  versions: readonly (readonly SignatureForm[])[],
  budget = SIGNATURES_BUDGET,
): SignatureForm[] {
  for (let most = budget; ; most = Math.floor(most / 2)) {
    const chosen = versions.map((forms) => forms.find(({ bytes }) => bytes <= most) ?? OMITTED);
    if (chosen.reduce((sum, { bytes }) => sum + bytes, 0) <= budget) return chosen;
  }
}

/** Adds the current batching verdicts to a form. */
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
