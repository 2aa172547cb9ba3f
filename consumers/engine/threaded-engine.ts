import { PartituraError } from '../../schemas/errors.js';
import type {
  Backend,
  Engine,
  EngineResult,
  EngineTensor,
  LoadedModel,
  ModelSignature,
  ModelSource,
  SignatureNames,
} from './engine.js';
import { InlineHost } from './inline-host.js';
import { IsolatedEngine } from './isolated-engine.js';
import { aboutModel } from './model-errors.js';
import { completeOptions, coreChoices, type EngineOptions } from './options.js';
import { ThreadSlot } from './thread-slot.js';
import { arrangeInputs, nameOutputs } from './tensors.js';
import type { EngineResponse, LoadedFacts, Tensors } from './thread/messages.js';

/**
 * Starts the worker threads. A runtime starts in them with the first model that needs it.
 * @throws PartituraError if an option is invalid or a thread cannot be started
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const complete = completeOptions(options);
  prepareProcess(coreChoices(complete)[0]);
  const slots = Array.from({ length: complete.threads }, () => new ThreadSlot(complete));
  try {
    await Promise.all(slots.map((slot) => slot.open()));
    return new ThreadedEngine(
      slots,
      { inline: new InlineHost(complete.backend), isolated: new IsolatedEngine(complete) },
      coreChoices(complete),
      complete.onError,
    );
  } catch (error) {
    await Promise.all(slots.map((slot) => slot.close()));
    throw error;
  }
}

/** Sets the environment of the native library, which reads it once, when the first thread loads the library. */
function prepareProcess(coresOfAnOperation: number): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Negative: operations run in the calling thread, which is dedicated to them, instead of in a pool.
  process.env['TF_NUM_INTEROP_THREADS'] ??= '-1';
  process.env['TF_NUM_INTRAOP_THREADS'] = String(coresOfAnOperation);
}

/** Batch time above which a model is moved off the event loop, which it blocks for the whole node. */
const TOO_SLOW_INLINE_MICROS = 10_000;
/** Consecutive slow runs after which it is moved. */
const SLOW_RUNS_ALLOWED = 3;

class ThreadedEngine implements Engine {
  #nextKey = 1;
  #closed = false;

  readonly isolated: IsolatedEngine;

  constructor(
    readonly slots: readonly ThreadSlot[],
    readonly hosts: { readonly inline: InlineHost; readonly isolated: IsolatedEngine },
    readonly coreChoices: readonly [number, ...number[]],
    readonly onError: Required<EngineOptions>['onError'],
  ) {
    this.isolated = hosts.isolated;
  }

  get threads(): number {
    return this.slots.length;
  }

  async load(source: ModelSource): Promise<LoadedModel> {
    this.#requireOpen();
    const key = this.#nextKey++;
    const [first] = this.slots;
    if (!first) throw new PartituraError('INTERNAL', 'an engine needs at least one thread');
    try {
      return new ThreadedModel(this, key, source, await first.load(key, source));
    } catch (error) {
      await this.unload(key);
      throw error;
    }
  }

  /** Loads a model into one thread after another, so that the threads that have it already keep serving. */
  async replicate(key: number, source: ModelSource): Promise<void> {
    this.#requireOpen();
    try {
      for (const slot of this.slots.slice(1)) await slot.load(key, source);
    } catch (error) {
      await this.shrink(key);
      throw error;
    }
  }

  async shrink(key: number): Promise<void> {
    await Promise.allSettled(this.slots.slice(1).map((slot) => slot.unload(key)));
  }

  async run(key: number, tensors: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    this.#requireOpen();
    const slot = this.#idlest(key) ?? (await this.#idlestAfterRestart(key));
    return slot.run(key, tensors);
  }

  /** Loads a model into the main thread as well. */
  loadInline(key: number, source: ModelSource, cores: number | undefined): Promise<void> {
    this.#requireOpen();
    return this.hosts.inline.load(key, source, cores ?? this.coreChoices[0]);
  }

  runInline(key: number, tensors: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    this.#requireOpen();
    return this.hosts.inline.run(key, tensors);
  }

  unloadInline(key: number): Promise<void> {
    return this.hosts.inline.unload(key);
  }

  /** Unloads a model from every thread; failures are ignored, since a lost thread has nothing left to free. */
  async unload(key: number): Promise<void> {
    await Promise.allSettled(this.slots.map((slot) => slot.unload(key)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.slots.map((slot) => slot.close()), this.isolated.close()]);
  }

  #idlest(key: number): ThreadSlot | undefined {
    let idlest: ThreadSlot | undefined;
    for (const slot of this.slots) {
      if (slot.serves(key) && (!idlest || slot.backlog < idlest.backlog)) idlest = slot;
    }
    return idlest;
  }

  async #idlestAfterRestart(key: number): Promise<ThreadSlot> {
    await Promise.any(this.slots.map((slot) => slot.ready())).catch(() => undefined);
    const slot = this.#idlest(key);
    if (slot) return slot;
    throw new PartituraError('MODEL_NOT_READY', 'no engine thread has loaded it since a crash');
  }

  #requireOpen(): void {
    if (this.#closed) throw new PartituraError('INTERNAL', 'the engine is closed');
  }
}

class ThreadedModel implements LoadedModel {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  declare readonly fallbackReason?: string;
  declare readonly cores?: number;
  declare readonly signatureNames?: SignatureNames;
  readonly loadMs: number;
  #inline = false;
  #loadedInline = false;
  #isReplicated = false;
  /** Consecutive runs on the event loop that took too long. */
  #slowRuns = 0;
  #inFlight = 0;
  #unloading: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;

  constructor(
    readonly engine: ThreadedEngine,
    readonly key: number,
    readonly source: ModelSource,
    { signature, backend, fallbackReason, cores, signatureNames, loadMs }: LoadedFacts,
  ) {
    this.signature = signature;
    this.backend = backend;
    this.loadMs = loadMs;
    if (fallbackReason !== undefined) this.fallbackReason = fallbackReason;
    if (cores !== undefined) this.cores = cores;
    if (signatureNames) this.signatureNames = signatureNames;
  }

  async run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    if (this.#unloading)
      throw aboutModel(this.source, new PartituraError('MODEL_NOT_READY', 'has been unloaded'));
    this.#inFlight++;
    try {
      const response = await this.#compute(arrangeInputs(this.signature.inputs, inputs));
      return {
        outputs: nameOutputs(this.signature.outputs, response),
        computeMicros: response.computeMicros,
      };
    } catch (error) {
      throw aboutModel(this.source, error);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#onDrained?.();
    }
  }

  async #compute(tensors: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    if (!this.#inline) return this.engine.run(this.key, tensors);
    const response = await this.engine.runInline(this.key, tensors);
    this.#slowRuns = response.computeMicros > TOO_SLOW_INLINE_MICROS ? this.#slowRuns + 1 : 0;
    if (this.#slowRuns === SLOW_RUNS_ALLOWED) this.#moveBack(response.computeMicros);
    return response;
  }

  /** Moves the model back to its worker thread. It stays loaded in the main thread, since nothing else needs the memory. */
  #moveBack(computeMicros: number): void {
    this.#inline = false;
    const message = `a batch took ${Math.round(computeMicros / 1_000)} ms, too long for the event loop; moved back to its worker thread`;
    this.engine.onError(
      PartituraError.from(aboutModel(this.source, new PartituraError('INTERNAL', message))),
    );
  }

  get threads(): number {
    return this.#isReplicated ? this.engine.threads : 1;
  }

  async replicateToAllThreads(): Promise<void> {
    await this.engine.replicate(this.key, this.source).catch((error: unknown) => {
      throw aboutModel(this.source, error);
    });
    this.#isReplicated = true;
  }

  async shrinkToOneThread(): Promise<void> {
    this.#isReplicated = false;
    await this.engine.shrink(this.key);
  }

  get isInline(): boolean {
    return this.#inline;
  }

  async moveInline(): Promise<void> {
    await this.engine.loadInline(this.key, this.source, this.cores);
    this.#loadedInline = true;
    this.#inline = true;
  }

  unload(): Promise<void> {
    this.#unloading ??= this.#finishAndUnload();
    return this.#unloading;
  }

  async #finishAndUnload(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onDrained = resolve));
    if (this.#loadedInline) await this.engine.unloadInline(this.key);
    await this.engine.unload(this.key);
  }
}
