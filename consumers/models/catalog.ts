import type { Delivery } from '../../core/config/node.js';
import type { Logger } from '../../core/log.js';
import { SerialQueue } from '../../core/serial.js';
import { sleep } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelVersionStatus } from '../../schemas/generated.js';
import type { Engine } from '../engine/engine.js';
import {
  scanRepositories,
  type RepositoryContent,
  type SkippedFolder,
  type VersionFolder,
} from './repository.js';
import { ChangeReports, type ReportOptions } from './change-reports.js';
import { proveLate } from './late-proof.js';
import {
  postponedOf,
  retireSignatures,
  serveSignatures,
  signaturesOf,
  signatureNamed,
  type ServedSignatures,
} from './served-signatures.js';
import type { BatchDefaults, BatchSurroundings, ServedVersion } from './served-version.js';
import { describeSignatures, formsOf } from './signature-status.js';
import { logServed } from './log-served.js';
import { SkippedFolders } from './skipped-folders.js';
import { capacityOf } from './capacity.js';
import { availableIn, statusesOf, type VersionEntry } from './version-entry.js';
import { wantedVersions } from './version-policy.js';

export interface CatalogOptions extends BatchDefaults, ReportOptions {
  readonly root: string;
  /** Folders of tasks, laid out like a repository of models. Default none. */
  readonly tasks?: readonly string[];
  /** Returns the version policy of a model; undefined if it is not to be served. */
  readonly policyOf: (model: string) => string | undefined;
  /** Returns the revision of these policies; higher after a change. */
  readonly policyRevision: () => number;
  /** Called when the served models comply with a new revision. */
  readonly onApplied: () => void;
  readonly pollMs: number;
  /** Time for proofs before all models are served, milliseconds; see `PROOFS_FIRST_MS`. Injected by tests. */
  readonly proofsFirstMs?: number;
}

/**
 * Time for trials with proofs per pass over the repository, milliseconds. Models after it are served without batching at
 * first and proven once all are served, so that many models start about as fast as ten.
 */
const PROOFS_FIRST_MS = 500;

/** Models loaded at once: the trial of one in the child process, beside the profile of another in this one. */
const MODELS_AT_ONCE = 2;

/**
 * The models that this node serves, reconciled with the repository at every poll: new wanted versions are loaded, and
 * unwanted ones are unloaded once their successor is available. A version that fails to load is retried when its files
 * change; until then the previous version keeps serving.
 */
export class ModelCatalog {
  readonly #entries = new Map<string, Map<string, VersionEntry>>();
  readonly #removing = new Set<string>();
  readonly #reports: ChangeReports;
  readonly #steps = { trials: new SerialQueue(), profiles: new SerialQueue() };
  readonly #stopping = new AbortController();
  readonly #skipped: SkippedFolders;
  #known: RepositoryContent = new Map();
  #polling: Promise<void> | undefined;
  #appliedRevision = -1;
  /** Duration of the trials of this pass over the repository, milliseconds. */
  #trialsMs = 0;
  /** Ends the current wait for the next poll. */
  #wake = new AbortController();

  constructor(
    readonly engine: Engine,
    readonly options: CatalogOptions,
    readonly log: Logger,
    readonly surroundings: BatchSurroundings,
  ) {
    this.#skipped = new SkippedFolders(log);
    this.#reports = new ChangeReports(options, log, this.#stopping.signal);
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
    const { root, tasks = [] } = this.options;
    const content = await scanRepositories({ root, tasks }, (folder) => skipped.push(folder));
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
    return statusesOf(this.#allEntries, (model) => this.#reports.problemOf(model));
  }

  get #allEntries(): VersionEntry[] {
    return [...this.#entries.values()].flatMap((versions) => [...versions.values()]);
  }

  /** Average engine time per row over all models, microseconds. */
  get microsPerRow(): number {
    const known = this.models
      .flatMap((model) => this.#available(model))
      .flatMap(signaturesOf)
      .map(({ batcher }) => batcher.microsPerRow);
    return known.length === 0 ? 0 : known.reduce((sum, micros) => sum + micros, 0) / known.length;
  }

  /** Returns the delivery that the newest available version of a model asks for. */
  deliveryOf(model: string): Delivery | undefined {
    return this.#available(model)[0]?.settings.delivery;
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

  /** Returns how many records a model can take from a queue now; see `capacityOf`. */
  capacityOf(model: string, aheadMs: number): number {
    const [newest] = this.#available(model);
    return newest ? capacityOf(signaturesOf(newest), aheadMs) : 0;
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
      const dueAt = performance.now() + this.options.pollMs;
      await this.#attempt(() => this.#provePostponed(dueAt), 'late batching proof failed; continuing');
      const restMs = Math.max(0, dueAt - performance.now());
      await sleep(restMs, AbortSignal.any([this.#stopping.signal, this.#wake.signal]));
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
      if (this.#stopping.signal.aborted) return;
      await this.#attempt(
        () => this.#poll(),
        'model repository poll failed; loaded models keep serving, retrying',
      );
    }
  }

  /** Logs a failure of a step, which must not end the polling. */
  async #attempt(step: () => Promise<void>, message: string): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.log.error({ err: error }, message);
    }
  }

  /** Proves versions whose proof was postponed, until the next poll is due. */
  async #provePostponed(dueAt: number): Promise<void> {
    while (this.#isIdleUntil(dueAt) && (await this.#proveNext()));
  }

  #isIdleUntil(dueAt: number): boolean {
    return !this.#stopping.signal.aborted && !this.#wake.signal.aborted && performance.now() < dueAt;
  }

  /** Proves the next version whose proof was postponed. @returns false if there is none */
  async #proveNext(): Promise<boolean> {
    for (const entry of this.#allEntries) {
      const served = availableIn(entry);
      if (!served || postponedOf(served).length === 0) continue;
      const proven = await proveLate(served, () => this.#serve(entry, () => false), this.log);
      if (proven === served) return true;
      this.#keep(entry, proven);
      await retireSignatures(served);
      return true;
    }
    return false;
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
    this.#trialsMs = 0;
    const waiting = new Set([...content.keys(), ...this.#entries.keys()]);
    const lane = async (): Promise<void> => {
      for (const model of waiting) {
        waiting.delete(model);
        if (this.#stopping.signal.aborted) return;
        await this.#reconcileModel(model, content.get(model) ?? []);
      }
    };
    await Promise.all(Array.from({ length: MODELS_AT_ONCE }, lane));
    if (this.#stopping.signal.aborted || revision === this.#appliedRevision) return;
    this.#appliedRevision = revision;
    this.options.onApplied();
  }

  /** Stops new requests for a model before its last version is unloaded. */
  async #withdraw(model: string): Promise<void> {
    this.#removing.add(model);
    await this.#reports.report(model);
  }

  /** Reasons why loaded models are not served. */
  get problems(): string[] {
    return this.#reports.problems;
  }

  #wanted(model: string, folders: readonly VersionFolder[]): string[] {
    const policy = this.options.policyOf(model);
    if (policy === undefined) return [];
    return wantedVersions(
      policy,
      folders.map(({ version }) => version),
    );
  }

  async #reconcileModel(model: string, folders: readonly VersionFolder[]): Promise<void> {
    if (this.#entries.has(model) && this.#wanted(model, folders).length === 0) await this.#withdraw(model);
    const changed = await this.#reconcileVersions(model, folders);
    this.#removing.delete(model);
    if (changed || this.#reports.problemOf(model) !== undefined) await this.#reports.report(model);
  }

  async #reconcileVersions(model: string, folders: readonly VersionFolder[]): Promise<boolean> {
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
    const { proofsFirstMs = PROOFS_FIRST_MS } = this.options;
    const present = entries.get(version);
    if (present && (present.folder.stamp === stamp || present.state === 'AVAILABLE')) return false;
    const entry: VersionEntry = { folder, state: 'LOADING' };
    entries.set(version, entry);
    try {
      this.#keep(entry, await this.#serve(entry, () => this.#trialsMs >= proofsFirstMs));
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

  async #serve({ folder }: VersionEntry, postponesProof: () => boolean): Promise<ServedSignatures> {
    const parts = { ...this.surroundings, ...this.#steps, postponesProof };
    const served = await serveSignatures(folder, this.engine, this.options, parts);
    for (const { trialMs } of signaturesOf(served)) this.#trialsMs += trialMs;
    return served;
  }

  #keep(entry: VersionEntry, served: ServedSignatures): void {
    entry.served = served;
    entry.forms = formsOf(describeSignatures(served));
    entry.state = 'AVAILABLE';
    logServed(served, this.log);
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

function stamps(content: RepositoryContent): Map<string, string> {
  return new Map([...content.values()].flat().map(({ directory, stamp }) => [directory, stamp]));
}
