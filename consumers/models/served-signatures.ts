import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { Engine, ModelFormat, ModelSource } from '../engine/engine.js';
import { detectFormat } from '../engine/formats.js';
import { hashFiles } from './files-hash.js';
import type { VersionFolder } from './repository.js';
import {
  serveVersion,
  type BatchDefaults,
  type BatchSurroundings,
  type LoadingSteps,
  type ServedVersion,
  type VersionFiles,
} from './served-version.js';
import { readModelSettings, type ModelSettings } from './settings.js';

/** A signature that failed to load. */
export interface FailedSignature {
  readonly name: string;
  readonly error: PartituraError;
}

/** All signatures of a version. Each has its own tensors, batching verdict and batches; they share the files. */
export interface ServedSignatures {
  readonly format: ModelFormat;
  readonly filesHash: string | undefined;
  readonly settings: ModelSettings;
  /** Answers requests that name no signature. */
  readonly main: ServedVersion;
  readonly others: readonly ServedVersion[];
  readonly failed: readonly FailedSignature[];
}

/**
 * Loads a version with all of its signatures. Only the default one is required.
 * @throws PartituraError with the reason if the default one cannot be served
 */
export async function serveSignatures(
  { model, version, directory, isTask }: VersionFolder,
  engine: Engine,
  defaults: BatchDefaults,
  surroundings: BatchSurroundings & LoadingSteps,
): Promise<ServedSignatures> {
  const read = await readModelSettings(directory);
  const settings = isTask ? { ...read, warmUp: false } : read;
  const format = await detectFormat(directory, isTask);
  const filesHash = await hashFiles(directory).catch(() => undefined);
  const source = { model, version, directory, format };
  const serve = (files: VersionFiles): Promise<ServedVersion> =>
    serveVersion(files, engine, defaults, surroundings);
  const main = await serve({ source: withDefault(source, settings), settings, filesHash });
  const others: ServedVersion[] = [];
  const failed: FailedSignature[] = [];
  for (const name of otherNames(main)) {
    try {
      others.push(await serve({ source: { ...source, signature: name }, settings, filesHash }));
    } catch (cause) {
      failed.push({ name, error: PartituraError.from(cause) });
    }
  }
  return { format, filesHash, settings, main, others, failed };
}

/** @throws PartituraError INVALID_REQUEST if `model.yaml` names a signature but the format has no named signatures */
function withDefault(source: ModelSource, { signature }: ModelSettings): ModelSource {
  if (signature === undefined) return source;
  if (source.format === 'saved_model') return { ...source, signature };
  throw invalidRequest(
    `model.yaml: signature: expected only with a SavedModel, got '${signature}' with ${source.format}`,
  );
}

function otherNames({ signatureNames }: ServedVersion): string[] {
  return signatureNames?.all.filter((name) => name !== signatureNames.loaded) ?? [];
}

/**
 * Finds a signature by name.
 * @param name the default one if undefined
 * @throws PartituraError INVALID_REQUEST listing the known signatures, or MODEL_FAILED with the reason why it is not served
 */
export function signatureNamed(
  { main, others, failed }: ServedSignatures,
  name: string | undefined,
): ServedVersion {
  if (name === undefined) return main;
  const served = [main, ...others].find(({ signatureNames }) => signatureNames?.loaded === name);
  if (served) return served;
  const failure = failed.find((one) => one.name === name);
  if (failure)
    throw new PartituraError('MODEL_FAILED', `signature '${name}' is not served: ${failure.error.message}`);
  const known = main.signatureNames?.all.map((one) => `'${one}'`).join(', ');
  const expected =
    known === undefined ? 'none, because the model has a single unnamed signature' : `one of ${known}`;
  throw invalidRequest(`parameters.signature: expected ${expected}, got '${name}'`);
}

/** Returns all signatures that are served, the default one first. */
export function signaturesOf({ main, others }: Pick<ServedSignatures, 'main' | 'others'>): ServedVersion[] {
  return [main, ...others];
}

/** Drains queued requests, then unloads all signatures. */
export async function retireSignatures(served: ServedSignatures): Promise<void> {
  await Promise.all(signaturesOf(served).map((one) => one.retire()));
}

/** Returns the signatures whose proof was postponed. */
export function postponedOf(served: ServedSignatures): ServedVersion[] {
  return signaturesOf(served).filter(({ isPostponed }) => isPostponed);
}
