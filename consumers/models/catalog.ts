import type { Logger } from '../../core/log.js';
import { sleep } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelLoad, ModelVersionStatus } from '../../schemas/generated.js';
import type { Engine } from '../engine/engine.js';
import { runtimeName } from '../engine/runtime-version.js';
import {
  scanRepository,
  type RepositoryContent,
  type SkippedFolder,
  type VersionFolder,
} from './repository.js';
import {
  retireSignatures,
  serveSignatures,
  signaturesOf,
  signatureNamed,
  type ServedSignatures,
} from './served-signatures.js';
import type { BatchDefaults, BatchSurroundings, ServedVersion } from './served-version.js';
import {
  describeSignatures,
  fitForms,
  formsOf,
  withVerdicts,
  type SignatureForm,
} from './signature-status.js';
import { logServed } from './log-served.js';
import { sumOfCounts } from './model-counts.js';
import { SkippedFolders } from './skipped-folders.js';
import { wantedVersions } from './version-policy.js';

export type VersionState = 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'FAILED';

export interface CatalogOptions extends BatchDefaults {
  readonly root: string;
  /** Returns the version policy of a model; undefined if it is not to be served. */
  readonly policyOf: (model: string) => string | undefined;
  /** Returns the revision of these policies; higher after a change. */
  readonly policyRevision: () => number;
  /** Called when the served models comply with a new revision. */
  readonly onApplied: () => void;
  readonly pollMs: number;
  /** Called with a model's name when the set of its available versions has changed. */
  readonly onChange: (model: string) => Promise<void>;
  /** Returns true for an error of `onChange` that affects every model and therefore stops the catalog. */
  readonly isFatal: (cause: unknown) => boolean;
}

interface VersionEntry {
  readonly folder: VersionFolder;
  state: VersionState;
  served?: ServedSignatures;
  /** Representations of its signatures in the node status, once it is loaded. */
  forms?: readonly SignatureForm[];
  message?: string;
}

/** Forms of a version that is not loaded. */
const NO_SIGNATURES = formsOf([]);

/**
 * The models that this node serves, reconciled with the repository at every poll: new wanted versions are loaded, and
 * unwanted ones are unloaded once their successor is available. A version that fails to load is retried when its files
 * change; until then the previous version keeps serving.
 */
export class ModelCatalog {
  readonly #entries = new Map<string, Map<string, VersionEntry>>();
  readonly #removing = new Set<string>();
  /** Models whose `onChange` call failed, with the reason. */
  readonly #unreported = new Map<string, string>();
  readonly #stopping = new AbortController();
  readonly #skipped: SkippedFolders;
  #known: RepositoryContent = new Map();
  #polling: Promise<void> | undefined;
  #appliedRevision = -1;
  /** Ends the current wait for the next poll. */
  #wake = new AbortController();

  constructor(
    readonly engine: Engine,
    readonly options: CatalogOptions,
    readonly log: Logger,
    readonly surroundings: BatchSurroundings,
  ) {
    this.#skipped = new SkippedFolders(log);
  }

  /** Loads the current versions, then keeps polling. @throws PartituraError if the repository cannot be read */
  async start(): Promise<void> {
    const content = await this.#scan();
    this.#known = content;
    await this.#reconcile(content);
    this.#polling = this.#pollUntilClosed();
  }

  async #scan(): Promise<RepositoryContent> {
    const skipped: SkippedFolder[] = [];
    const content = await scanRepository(this.options.root, (folder) => skipped.push(folder));
    this.#skipped.update(skipped);
    return content;
  }

  /** Folders of the repository that are not served, each with the reason. */
  get skippedFolders(): string[] {
    return this.#skipped.sentences;
  }

  /** Models with at least one available version, except those being removed. */
  get models(): string[] {
    return [...this.#entries.keys()].filter(
      (model) => !this.#removing.has(model) && this.#available(model).length > 0,
    );
  }

  get statuses(): ModelVersionStatus[] {
    const entries = [...this.#entries.values()].flatMap((versions) => [...versions.values()]);
    const chosen = fitForms(entries.map(({ forms = NO_SIGNATURES }) => forms));
    return entries.map((entry, index) => {
      const form = chosen[index];
      return {
        ...this.#statusOf(entry),
        signatures: form && entry.served ? withVerdicts(form, entry.served) : [],
        signaturesNote: form?.note ?? null,
      };
    });
  }

  #statusOf({
    folder: { model, version },
    state,
    served,
    message,
  }: VersionEntry): Omit<ModelVersionStatus, 'signatures' | 'signaturesNote'> {
    return {
      model,
      version,
      state,
      backend: served?.main.backend ?? null,
      message: message ?? this.#unreported.get(model) ?? null,
      measured: served?.main.measured ?? null,
      batching: served?.main.batching ?? null,
      format: served?.format ?? null,
      runtime: served ? runtimeName(served.main.backend) : null,
      filesHash: served?.filesHash ?? null,
      load: served ? loadOf(signaturesOf(served)) : null,
      counts: served ? sumOfCounts(signaturesOf(served).map(({ counter }) => counter.counts)) : null,
    };
  }

  /** Average engine time per row over all models, microseconds. */
  get microsPerRow(): number {
    const known = this.models
      .flatMap((model) => this.#available(model))
      .flatMap(signaturesOf)
      .map(({ batcher }) => batcher.microsPerRow);
    return known.length === 0 ? 0 : known.reduce((sum, micros) => sum + micros, 0) / known.length;
  }

  /**
   * Finds the version to answer a request; without `version` the newest available one.
   * @param signature name of a signature; the default one if undefined
   * @throws PartituraError MODEL_NOT_FOUND, MODEL_NOT_READY, or INVALID_REQUEST for an unknown signature
   */
  resolve(model: string, version: string | null, signature?: string): ServedVersion {
    return signatureNamed(this.#resolveVersion(model, version), signature);
  }

  #resolveVersion(model: string, version: string | null): ServedSignatures {
    const entries = this.#entries.get(model);
    if (!entries)
      throw new PartituraError('MODEL_NOT_FOUND', `model '${model}': expected one of ${this.#names()}`);
    const served = version === null ? this.#available(model)[0] : availableIn(entries.get(version));
    if (served) return served;
    if (version === null)
      throw new PartituraError('MODEL_NOT_READY', `model '${model}': no version is available yet`);
    const entry = entries.get(version);
    if (entry?.state === 'LOADING')
      throw new PartituraError('MODEL_NOT_READY', `model '${model}': version ${version} is loading`);
    const available = this.#available(model).map(({ main }) => main.version);
    throw new PartituraError(
      'MODEL_NOT_FOUND',
      `model '${model}': expected one of versions ${available.join(', ')}, got ${version}`,
    );
  }

  #names(): string {
    return this.models.map((model) => `'${model}'`).join(', ') || 'none (no model is available)';
  }

  /** Returns the available versions, newest first. */
  #available(model: string): ServedSignatures[] {
    const entries = [...(this.#entries.get(model)?.values() ?? [])];
    const served = entries.map(availableIn).filter((found) => found !== undefined);
    return served.sort((a, b) => Number(b.main.version) - Number(a.main.version));
  }

  async #pollUntilClosed(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(this.options.pollMs, AbortSignal.any([this.#stopping.signal, this.#wake.signal]));
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#poll();
      } catch (error) {
        this.log.error({ err: error }, 'model repository poll failed; loaded models keep serving, retrying');
      }
    }
  }

  /**
   * Polls the repository. A folder that changed since the last poll may still be being copied and waits for the next one.
   */
  async #poll(): Promise<void> {
    const content = await this.#scan();
    const known = stamps(this.#known);
    const settled = [...content].map(
      ([model, folders]) =>
        [
          model,
          folders.filter((folder) => known.get(folder.directory) === folder.stamp || this.#hasEntry(folder)),
        ] as const,
    );
    this.#known = content;
    await this.#reconcile(new Map(settled));
  }

  /** Applies changed policies now, and tries failed versions again. */
  reconcileNow(): void {
    for (const entries of this.#entries.values())
      for (const [version, { state }] of entries) if (state === 'FAILED') entries.delete(version);
    this.#wake.abort();
  }

  #hasEntry({ model, version }: VersionFolder): boolean {
    return this.#entries.get(model)?.has(version) ?? false;
  }

  /** Revision of the policies that the served models comply with; -1 before the first. */
  get appliedRevision(): number {
    return this.#appliedRevision;
  }

  async #reconcile(content: RepositoryContent): Promise<void> {
    const revision = this.options.policyRevision();
    const models = new Set([...content.keys(), ...this.#entries.keys()]);
    for (const model of models) {
      if (this.#stopping.signal.aborted) return;
      const folders = content.get(model) ?? [];
      if (this.#entries.has(model) && this.#wanted(model, folders).length === 0) await this.#withdraw(model);
      const changed = await this.#reconcileModel(model, folders);
      this.#removing.delete(model);
      if (changed || this.#unreported.has(model)) await this.#report(model);
    }
    if (revision === this.#appliedRevision) return;
    this.#appliedRevision = revision;
    this.options.onApplied();
  }

  /** Stops new requests for a model before its last version is unloaded. */
  async #withdraw(model: string): Promise<void> {
    this.#removing.add(model);
    await this.#report(model);
  }

  /**
   * Reports a change of a model. A failure is retried at the next poll and does not affect the other models.
   * @throws fatal errors of `onChange`
   */
  async #report(model: string): Promise<void> {
    const before = this.#unreported.get(model);
    try {
      await this.options.onChange(model);
      this.#unreported.delete(model);
    } catch (cause) {
      if (this.#stopping.signal.aborted) return;
      const { message } = cause as Error;
      this.#unreported.set(model, message);
      if (this.options.isFatal(cause)) throw cause;
      if (message !== before)
        this.log.error(
          { model, reason: message },
          'model cannot be served; retrying, other models are unaffected',
        );
    }
  }

  /** Reasons why loaded models are not served. */
  get problems(): string[] {
    return [...this.#unreported.values()];
  }

  #wanted(model: string, folders: readonly VersionFolder[]): string[] {
    const policy = this.options.policyOf(model);
    if (policy === undefined) return [];
    return wantedVersions(
      policy,
      folders.map(({ version }) => version),
    );
  }

  async #reconcileModel(model: string, folders: readonly VersionFolder[]): Promise<boolean> {
    const wanted = this.#wanted(model, folders);
    const entries = this.#entries.get(model) ?? new Map<string, VersionEntry>();
    this.#entries.set(model, entries);
    let changed = false;
    for (const folder of folders) {
      if (wanted.includes(folder.version)) changed = (await this.#ensureLoaded(entries, folder)) || changed;
    }
    const keep = this.#versionsToKeep(entries, folders, wanted);
    for (const [version, entry] of entries) {
      if (keep.has(version)) continue;
      await this.#unload(entries, version, entry);
      changed = true;
    }
    if (entries.size === 0) this.#entries.delete(model);
    return changed;
  }

  /**
   * Selects the versions to keep: the wanted ones and, while none of them is available, the newest available one still on
   * disk.
   */
  #versionsToKeep(
    entries: Map<string, VersionEntry>,
    folders: readonly VersionFolder[],
    wanted: readonly string[],
  ): Set<string> {
    const keep = new Set(wanted);
    const serving = wanted.some((version) => availableIn(entries.get(version)));
    if (serving || wanted.length === 0) return keep;
    const lastGood = folders.findLast(({ version }) => availableIn(entries.get(version)));
    return lastGood ? keep.add(lastGood.version) : keep;
  }

  /** Loads a version if it is new or its files changed after a failure. @returns true if it became available */
  async #ensureLoaded(entries: Map<string, VersionEntry>, folder: VersionFolder): Promise<boolean> {
    const { model, version, stamp } = folder;
    const present = entries.get(version);
    if (present && (present.folder.stamp === stamp || present.state === 'AVAILABLE')) return false;
    const entry: VersionEntry = { folder, state: 'LOADING' };
    entries.set(version, entry);
    try {
      entry.served = await serveSignatures(folder, this.engine, this.options, this.surroundings);
      entry.forms = formsOf(describeSignatures(entry.served));
      entry.state = 'AVAILABLE';
      logServed(entry.served, this.log);
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      entry.state = 'FAILED';
      entry.message = PartituraError.from(error).message;
      this.log.error(
        { model, version, reason: entry.message },
        'model version failed to load; retrying when its files change',
      );
      return false;
    }
  }

  async #unload(entries: Map<string, VersionEntry>, version: string, entry: VersionEntry): Promise<void> {
    entry.state = 'UNLOADING';
    if (entry.served) await retireSignatures(entry.served);
    entries.delete(version);
    this.log.info({ model: entry.folder.model, version }, 'model version unloaded');
  }

  /** Stops polling. Models stay loaded for requests in flight until the engine is closed. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
  }
}

function availableIn(entry: VersionEntry | undefined): ServedSignatures | undefined {
  return entry?.state === 'AVAILABLE' ? entry.served : undefined;
}

function stamps(content: RepositoryContent): Map<string, string> {
  return new Map([...content.values()].flat().map(({ directory, stamp }) => [directory, stamp]));
}

/** Work of a version; its default signature stands for the throughput of all. */
function loadOf(signatures: readonly ServedVersion[]): ModelLoad {
  const pendingRows = signatures.reduce((sum, { batcher }) => sum + batcher.pendingRows, 0);
  return { pendingRows, rowsPerSecond: signatures[0]?.batcher.rowsPerSecond ?? 0 };
}
