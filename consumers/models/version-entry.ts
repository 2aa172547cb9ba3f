import type { ModelLoad, ModelVersionStatus } from '../../schemas/generated.js';
import { runtimeName } from '../engine/runtime-version.js';
import type { VersionFolder } from './repository.js';
import { sumOfCounts } from './model-counts.js';
import { signaturesOf, type ServedSignatures } from './served-signatures.js';
import type { ServedVersion } from './served-version.js';
import { fitForms, formsOf, withVerdicts, type SignatureForm } from './signature-status.js';

export type VersionState = 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'FAILED';

/** A version in the catalog. */
export interface VersionEntry {
  readonly folder: VersionFolder;
  state: VersionState;
  served?: ServedSignatures;
  /** Representations of its signatures in the node status, once it is loaded. */
  forms?: readonly SignatureForm[];
  message?: string;
}

export function availableIn(entry: VersionEntry | undefined): ServedSignatures | undefined {
  return entry?.state === 'AVAILABLE' ? entry.served : undefined;
}

/** Forms of a version that is not loaded. */
const NO_SIGNATURES = formsOf([]);

/**
 * Describes versions for the node status.
 * @param problemOf returns the reason why a loaded model is not served
 */
export function statusesOf(
  entries: readonly VersionEntry[],
  problemOf: (model: string) => string | undefined,
): ModelVersionStatus[] {
  const chosen = fitForms(entries.map(({ forms = NO_SIGNATURES }) => forms));
  return entries.map((entry, index) => {
    const form = chosen[index];
    return {
      ...statusOf(entry, problemOf(entry.folder.model)),
      signatures: form && entry.served ? withVerdicts(form, entry.served) : [],
      signaturesNote: form?.note ?? null,
    };
  });
}

function statusOf(
  { folder: { model, version }, state, served, message }: VersionEntry,
  problem: string | undefined,
): Omit<ModelVersionStatus, 'signatures' | 'signaturesNote'> {
  return {
    model,
    version,
    state,
    backend: served?.main.backend ?? null,
    message: message ?? problem ?? null,
    measured: served?.main.measured ?? null,
    batching: served?.main.batching ?? null,
    format: served?.format ?? null,
    runtime: served ? runtimeName(served.main.backend) : null,
    filesHash: served?.filesHash ?? null,
    delivery: null,
    deliveryNote: null,
    load: served ? loadOf(signaturesOf(served)) : null,
    counts: served ? sumOfCounts(signaturesOf(served).map(({ counter }) => counter.counts)) : null,
  };
}

/** Work of a version; its default signature stands for the throughput of all. */
function loadOf(signatures: readonly ServedVersion[]): ModelLoad {
  const pendingRows = signatures.reduce((sum, { batcher }) => sum + batcher.pendingRows, 0);
  return { pendingRows, rowsPerSecond: signatures[0]?.batcher.rowsPerSecond ?? 0 };
}
