import type { SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import type { TensorSpec } from '../engine/engine.js';
import type { RefusedSignature, ServedSignatures } from './served-signatures.js';
import type { ServedVersion } from './served-version.js';

/** A version's signatures as a node status tells of them. */
export interface ToldSignatures {
  readonly signatures: SignatureStatus[];
  /** What is left out. */
  readonly note: string | null;
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

/**
 * Shortens the signatures of the versions with the longest ones until all fit: readers ignore a status that is too large.
 * @param versions the signatures of each version
 */
export function fitSignatures(
  versions: readonly (readonly SignatureStatus[])[],
  budget = SIGNATURES_BUDGET,
): ToldSignatures[] {
  for (let most = budget; ; most = Math.floor(most / 2)) {
    const told = versions.map((signatures) => shortened(signatures, most));
    if (told.reduce((sum, { signatures }) => sum + bytesOf(signatures), 0) <= budget) return told;
  }
}

/** The most detailed form of at most so many bytes; signatures that are left out take none. */
function shortened(signatures: readonly SignatureStatus[], most: number): ToldSignatures {
  const whole = { signatures: [...signatures], note: null };
  if (bytesOf(whole.signatures) <= most) return whole;
  const shorter = [
    {
      signatures: withTensors(signatures, fewLabels),
      note: `only the first ${FEW_LABELS} labels of an output are told`,
    },
    { signatures: withTensors(signatures, bare), note: 'labels and names of dimensions are left out' },
  ];
  const leftOut = { signatures: [], note: 'left out: too long for the status of the node' };
  return shorter.find((form) => bytesOf(form.signatures) <= most) ?? leftOut;
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

function bytesOf(signatures: readonly SignatureStatus[]): number {
  return signatures.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(signatures));
}
