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
 * Starts the worker threads. What computes starts in them with the first model that needs it.
 * @throws PartituraError when an option is impossible or a thread can't be started
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

/** The native library reads its settings from the process, once, when the first thread loads it. */
function prepareProcess(coresOfAnOperation: number): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Negative: operations run in the thread that calls, which is ours alone, instead of being handed to a pool.
  process.env['TF_NUM_INTEROP_THREADS'] ??= '-1';
  process.env['TF_NUM_INTRAOP_THREADS'] = String(coresOfAnOperation);
}

/** A model that takes longer again and again goes back to its thread: meanwhile nothing else happens in the node. */
const TOO_SLOW_INLINE_MICROS = 10_000;
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
    if (!first) throw new PartituraError('INTERNAL', 'an engine needs a thread');
    try {
      return new ThreadedModel(this, key, source, await first.load(key, source));
    } catch (error) {
      await this.unload(key);
      throw error;
    }
  }

  /** One thread after the other: those that hold it already go on serving meanwhile. */
  async spread(key: number, source: ModelSource): Promise<void> {
    this.#requireOpen();
    try {
      for (const slot of this.slots.slice(1)) await slot.load(key, source);
    } catch (error) {
      await this.gather(key);
      throw error;
    }
  }

  async gather(key: number): Promise<void> {
    await Promise.allSettled(this.slots.slice(1).map((slot) => slot.unload(key)));
  }

  async run(key: number, tensors: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    this.#requireOpen();
    const slot = this.#idlest(key) ?? (await this.#idlestAfterRepair(key));
    return slot.run(key, tensors);
  }

  /** Loads a model into the event loop as well. */
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

  /** Frees what can be freed: a thread that is lost has nothing left to free. */
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

  async #idlestAfterRepair(key: number): Promise<ThreadSlot> {
    await Promise.any(this.slots.map((slot) => slot.whole())).catch(() => undefined);
    const slot = this.#idlest(key);
    if (slot) return slot;
    throw new PartituraError('MODEL_NOT_READY', 'no engine thread holds it after a crash; it is tried again');
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
  #isSpread = false;
  /** Runs in the event loop one after the other that took too long. */
  #slowRuns = 0;
  #underWay = 0;
  #unloading: Promise<void> | undefined;
  #allDone: (() => void) | undefined;

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
    if (this.#unloading) throw aboutModel(this.source, new PartituraError('MODEL_NOT_READY', 'is unloaded'));
    this.#underWay++;
    try {
      const answer = await this.#compute(arrangeInputs(this.signature.inputs, inputs));
      return { outputs: nameOutputs(this.signature.outputs, answer), computeMicros: answer.computeMicros };
    } catch (error) {
      throw aboutModel(this.source, error);
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#allDone?.();
    }
  }

  async #compute(tensors: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    if (!this.#inline) return this.engine.run(this.key, tensors);
    const answer = await this.engine.runInline(this.key, tensors);
    this.#slowRuns = answer.computeMicros > TOO_SLOW_INLINE_MICROS ? this.#slowRuns + 1 : 0;
    if (this.#slowRuns === SLOW_RUNS_ALLOWED) this.#moveBack(answer.computeMicros);
    return answer;
  }

  /** It stays loaded in the event loop: it has proved to be light once, and nothing waits for the memory. */
  #moveBack(computeMicros: number): void {
    this.#inline = false;
    const message = `takes ${Math.round(computeMicros / 1_000)} ms for a batch, too long for the event loop; it runs in its thread again`;
    this.engine.onError(
      PartituraError.from(aboutModel(this.source, new PartituraError('INTERNAL', message))),
    );
  }

  get threads(): number {
    return this.#isSpread ? this.engine.threads : 1;
  }

  async replicateToAllThreads(): Promise<void> {
    await this.engine.spread(this.key, this.source).catch((error: unknown) => {
      throw aboutModel(this.source, error);
    });
    this.#isSpread = true;
  }

  async shrinkToOneThread(): Promise<void> {
    this.#isSpread = false;
    await this.engine.gather(this.key);
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
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#allDone = resolve));
    if (this.#loadedInline) await this.engine.unloadInline(this.key);
    await this.engine.unload(this.key);
  }
}
