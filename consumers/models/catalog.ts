import type { Logger } from '../../core/log.js';
import { sleep } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelVersionStatus } from '../../schemas/generated.js';
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
import { SkippedFolders } from './skipped-folders.js';
import { wantedVersions } from './version-policy.js';

export type VersionState = 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'FAILED';

export interface CatalogOptions extends BatchDefaults {
  readonly root: string;
  readonly policy: string;
  readonly pollMs: number;
  /** Called with a model's name when the set of its available versions has changed. */
  readonly onChange: (model: string) => Promise<void>;
  /** Decides on an error of `onChange`: true for one that every model would meet, which ends the catalog. */
  readonly isFatal: (cause: unknown) => boolean;
}

interface VersionEntry {
  readonly folder: VersionFolder;
  state: VersionState;
  served?: ServedSignatures;
  /** How its signatures can be told, once it is loaded. */
  forms?: readonly SignatureForm[];
  message?: string;
}

/** Of a version that is not loaded. */
const NOTHING_TO_TELL = formsOf([]);

/**
 * The models that this node serves, held against the repository again and again: what is wanted and new is
 * loaded, what is no longer wanted goes once its successor serves. A version that fails to load is tried
 * again when its files change; until then the one before it goes on serving.
 */
export class ModelCatalog {
  readonly #slots = new Map<string, Map<string, VersionEntry>>();
  readonly #leaving = new Set<string>();
  /** Models whose change could not be acted on, with the reason. */
  readonly #unannounced = new Map<string, string>();
  readonly #stopping = new AbortController();
  readonly #skipped: SkippedFolders;
  #known: RepositoryContent = new Map();
  #watching: Promise<void> | undefined;

  constructor(
    readonly engine: Engine,
    readonly options: CatalogOptions,
    readonly log: Logger,
    readonly surroundings: BatchSurroundings,
  ) {
    this.#skipped = new SkippedFolders(log);
  }

  /** Loads what is there now, then goes on watching. @throws PartituraError when the repository can't be read */
  async start(): Promise<void> {
    const content = await this.#scan();
    this.#known = content;
    await this.#reconcile(content);
    this.#watching = this.#watch();
  }

  async #scan(): Promise<RepositoryContent> {
    const skipped: SkippedFolder[] = [];
    const content = await scanRepository(this.options.root, (folder) => skipped.push(folder));
    this.#skipped.update(skipped);
    return content;
  }

  /** Folders of the repository that are not served, with the reason in words. */
  get skippedFolders(): string[] {
    return this.#skipped.sentences;
  }

  /** Models with at least one available version that are not about to go. */
  get models(): string[] {
    return [...this.#slots.keys()].filter(
      (model) => !this.#leaving.has(model) && this.#available(model).length > 0,
    );
  }

  get statuses(): ModelVersionStatus[] {
    const slots = [...this.#slots.values()].flatMap((versions) => [...versions.values()]);
    const chosen = fitForms(slots.map(({ forms = NOTHING_TO_TELL }) => forms));
    return slots.map((slot, index) => {
      const form = chosen[index];
      return {
        ...this.#statusOf(slot),
        signatures: form && slot.served ? withVerdicts(form, slot.served) : [],
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
      message: message ?? this.#unannounced.get(model) ?? null,
      measured: served?.main.measured ?? null,
      batching: served?.main.batching ?? null,
      format: served?.format ?? null,
      runtime: served ? runtimeName(served.main.backend) : null,
      filesHash: served?.filesHash ?? null,
    };
  }

  /** Engine time per row over all models, microseconds. */
  get microsPerRow(): number {
    const known = this.models
      .flatMap((model) => this.#available(model))
      .flatMap(({ main, others }) => [main, ...others])
      .map(({ batcher }) => batcher.microsPerRow);
    return known.length === 0 ? 0 : known.reduce((sum, micros) => sum + micros, 0) / known.length;
  }

  /**
   * The version that answers; without `version` the newest available one.
   * @param signature of the version; the default one when undefined
   * @throws PartituraError MODEL_NOT_FOUND, MODEL_NOT_READY, or INVALID_REQUEST for an unknown signature
   */
  resolve(model: string, version: string | null, signature?: string): ServedVersion {
    return signatureNamed(this.#resolveVersion(model, version), signature);
  }

  #resolveVersion(model: string, version: string | null): ServedSignatures {
    const slots = this.#slots.get(model);
    if (!slots)
      throw new PartituraError('MODEL_NOT_FOUND', `model '${model}': expected one of ${this.#names()}`);
    const served = version === null ? this.#available(model)[0] : availableIn(slots.get(version));
    if (served) return served;
    if (version === null)
      throw new PartituraError('MODEL_NOT_READY', `model '${model}': no version is available yet`);
    const slot = slots.get(version);
    if (slot?.state === 'LOADING')
      throw new PartituraError('MODEL_NOT_READY', `model '${model}': version ${version} is loading`);
    const available = this.#available(model).map(({ main }) => main.version);
    throw new PartituraError(
      'MODEL_NOT_FOUND',
      `model '${model}': expected a version of ${available.join(', ')}, got ${version}`,
    );
  }

  #names(): string {
    return this.models.map((model) => `'${model}'`).join(', ') || 'none (no model is available)';
  }

  /** Newest first. */
  #available(model: string): ServedSignatures[] {
    const slots = [...(this.#slots.get(model)?.values() ?? [])];
    const served = slots.map(availableIn).filter((found) => found !== undefined);
    return served.sort((a, b) => Number(b.main.version) - Number(a.main.version));
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(this.options.pollMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#look();
      } catch (error) {
        this.log.error(
          { err: error },
          'the model repository could not be followed; what is loaded goes on serving, and it is tried again',
        );
      }
    }
  }

  /** A folder that changed since the last look is perhaps still being copied: it has until the next one. */
  async #look(): Promise<void> {
    const content = await this.#scan();
    const known = stamps(this.#known);
    const settled = [...content].map(
      ([model, folders]) =>
        [
          model,
          folders.filter((folder) => known.get(folder.directory) === folder.stamp || this.#hasSlot(folder)),
        ] as const,
    );
    this.#known = content;
    await this.#reconcile(new Map(settled));
  }

  #hasSlot({ model, version }: VersionFolder): boolean {
    return this.#slots.get(model)?.has(version) ?? false;
  }

  async #reconcile(content: RepositoryContent): Promise<void> {
    const models = new Set([...content.keys(), ...this.#slots.keys()]);
    for (const model of models) {
      if (this.#stopping.signal.aborted) return;
      const folders = content.get(model) ?? [];
      if (this.#slots.has(model) && this.#wanted(folders).length === 0) await this.#stopOffering(model);
      const changed = await this.#reconcileModel(model, folders);
      this.#leaving.delete(model);
      if (changed || this.#unannounced.has(model)) await this.#announce(model);
    }
  }

  /** No new requests may come before the last version of a model goes. */
  async #stopOffering(model: string): Promise<void> {
    this.#leaving.add(model);
    await this.#announce(model);
  }

  /**
   * Told again at the next look when whoever is told could not act on it: that is the model's trouble, and not that of the
   * others.
   * @throws an error of `onChange` that is fatal
   */
  async #announce(model: string): Promise<void> {
    const before = this.#unannounced.get(model);
    try {
      await this.options.onChange(model);
      this.#unannounced.delete(model);
    } catch (cause) {
      if (this.#stopping.signal.aborted) return;
      const { message } = cause as Error;
      this.#unannounced.set(model, message);
      if (this.options.isFatal(cause)) throw cause;
      if (message !== before)
        this.log.error(
          { model, reason: message },
          'model cannot be served; retrying, and the others are served',
        );
    }
  }

  /** Why models that are loaded are not served. */
  get problems(): string[] {
    return [...this.#unannounced.values()];
  }

  #wanted(folders: readonly VersionFolder[]): string[] {
    return wantedVersions(
      this.options.policy,
      folders.map(({ version }) => version),
    );
  }

  async #reconcileModel(model: string, folders: readonly VersionFolder[]): Promise<boolean> {
    const wanted = this.#wanted(folders);
    const slots = this.#slots.get(model) ?? new Map<string, VersionEntry>();
    this.#slots.set(model, slots);
    let changed = false;
    for (const folder of folders) {
      if (wanted.includes(folder.version)) changed = (await this.#ensureLoaded(slots, folder)) || changed;
    }
    const keep = this.#keepers(slots, folders, wanted);
    for (const [version, slot] of slots) {
      if (keep.has(version)) continue;
      await this.#unload(slots, version, slot);
      changed = true;
    }
    if (slots.size === 0) this.#slots.delete(model);
    return changed;
  }

  /** What stays: the wanted, and while none of those is available, the last good one that is still on disk. */
  #keepers(
    slots: Map<string, VersionEntry>,
    folders: readonly VersionFolder[],
    wanted: readonly string[],
  ): Set<string> {
    const keep = new Set(wanted);
    const serving = wanted.some((version) => availableIn(slots.get(version)));
    if (serving || wanted.length === 0) return keep;
    const lastGood = folders.findLast(({ version }) => availableIn(slots.get(version)));
    return lastGood ? keep.add(lastGood.version) : keep;
  }

  /** @returns whether the version became available by this */
  async #ensureLoaded(slots: Map<string, VersionEntry>, folder: VersionFolder): Promise<boolean> {
    const { model, version, stamp } = folder;
    const present = slots.get(version);
    if (present && (present.folder.stamp === stamp || present.state === 'AVAILABLE')) return false;
    const slot: VersionEntry = { folder, state: 'LOADING' };
    slots.set(version, slot);
    try {
      slot.served = await serveSignatures(folder, this.engine, this.options, this.surroundings);
      slot.forms = formsOf(describeSignatures(slot.served));
      slot.state = 'AVAILABLE';
      this.#logServed(slot.served);
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      slot.state = 'FAILED';
      slot.message = PartituraError.from(error).message;
      this.log.error(
        { model, version, reason: slot.message },
        'model version could not be loaded; it is tried again when its files change',
      );
      return false;
    }
  }

  #logServed({ main, others, refused }: ServedSignatures): void {
    const { model, version, fallbackReason } = main;
    for (const { signatureNames, backend, measured, warmUpProblem, batching, trialMs } of [main, ...others]) {
      const signature = signatureNames?.loaded;
      this.log.info(
        { model, version, signature, backend, ...measured, batching, trialMs },
        'model version available',
      );
      if (warmUpProblem)
        this.log.warn(
          { model, version, signature, reason: warmUpProblem },
          'trying it out on zeros failed; the version serves all the same',
        );
    }
    if (fallbackReason)
      this.log.warn(
        { model, version, reason: fallbackReason },
        'TensorFlow is missing; WebAssembly computes',
      );
    for (const { name: signature, error } of refused)
      this.log.warn(
        { model, version, signature, reason: error.message },
        'signature cannot be loaded; requests that name it are refused',
      );
  }

  async #unload(slots: Map<string, VersionEntry>, version: string, slot: VersionEntry): Promise<void> {
    slot.state = 'UNLOADING';
    if (slot.served) await retireSignatures(slot.served);
    slots.delete(version);
    this.log.info({ model: slot.folder.model, version }, 'model version unloaded');
  }

  /** Stops watching. Models stay loaded until the engine is closed, for requests still under way. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }
}

function availableIn(slot: VersionEntry | undefined): ServedSignatures | undefined {
  return slot?.state === 'AVAILABLE' ? slot.served : undefined;
}

function stamps(content: RepositoryContent): Map<string, string> {
  return new Map([...content.values()].flat().map(({ directory, stamp }) => [directory, stamp]));
}
