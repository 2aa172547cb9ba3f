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
import { EngineProcess } from './engine-process.js';
import { loadRequest } from './load-request.js';
import { aboutModel } from './model-errors.js';
import { coreChoices, type EngineOptions } from './options.js';
import { arrangeInputs, nameOutputs } from './tensors.js';
import type { LoadedFacts } from './thread/messages.js';

/** The child process ends when it has held no model for this long. */
const IDLE_MS = 10_000;

/** A child process and the models that it holds. */
interface Child {
  readonly process: EngineProcess;
  readonly loaded: Set<number>;
}

/**
 * An engine in one child process, for what may crash: new versions are tried in it, and suspect requests computed. It
 * starts with its first model, and again after it died. It is asked one question at a time: a death is the fault of the
 * one question that was being computed, and takes no other along.
 */
export class IsolatedEngine implements Engine {
  readonly threads = 1;
  #nextKey = 1;
  readonly #models = new Map<number, ModelSource>();
  #child: Child | undefined;
  /** Settles when the last of the questions so far is answered. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(readonly options: Required<EngineOptions>) {}

  get coreChoices(): readonly number[] {
    return coreChoices(this.options);
  }

  load(source: ModelSource): Promise<LoadedModel> {
    const key = this.#nextKey++;
    return this.#inTurn(async () => {
      try {
        const facts = await this.#loadInto(await this.#present(), key, source);
        this.#models.set(key, source);
        return new IsolatedModel(this, key, source, facts);
      } catch (error) {
        this.#endWhenIdle();
        throw error;
      }
    });
  }

  /** @throws PartituraError MODEL_CRASHED when the process died of this run */
  run(
    key: number,
    inputs: Parameters<typeof arrangeInputs>[1],
    signature: ModelSignature,
    limitMs = this.options.runTimeoutMs,
  ): Promise<EngineResult> {
    return this.#inTurn(async () => {
      const child = await this.#holding(key);
      const tensors = arrangeInputs(signature.inputs, inputs);
      const question = { kind: 'run', key, ...tensors } as const;
      const answer = await child.process.ask<'result'>(question, limitMs);
      return { outputs: nameOutputs(signature.outputs, answer), computeMicros: answer.computeMicros };
    });
  }

  unload(key: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#models.delete(key);
      const child = this.#child;
      if (child?.loaded.delete(key) && !child.process.isLost)
        await child.process.ask({ kind: 'unload', key }, this.options.loadTimeoutMs).catch(() => undefined);
      this.#endWhenIdle();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Returns the child process, restarted if the last one died. @throws PartituraError INTERNAL when it cannot be started */
  async #present(): Promise<Child> {
    if (this.#closed) throw new PartituraError('INTERNAL', 'the engine is closed');
    clearTimeout(this.#idle);
    if (this.#child && !this.#child.process.isLost) return this.#child;
    const child: Child = { process: new EngineProcess(this.options), loaded: new Set() };
    this.#child = child;
    try {
      await child.process.started();
      return child;
    } catch (error) {
      await child.process.close();
      throw notToBlame('no child process could be started', error);
    }
  }

  /** The child process with the model in it. @throws PartituraError INTERNAL where a run cannot begin */
  async #holding(key: number): Promise<Child> {
    const source = this.#models.get(key);
    if (!source) throw new PartituraError('MODEL_NOT_READY', 'is unloaded');
    const child = await this.#present();
    if (child.loaded.has(key)) return child;
    try {
      await this.#loadInto(child, key, source);
      return child;
    } catch (error) {
      throw notToBlame('could not be loaded again into a child process', error);
    }
  }

  /** @throws PartituraError that names the model */
  async #loadInto(child: Child, key: number, source: ModelSource): Promise<LoadedFacts> {
    const question = loadRequest(key, source, coreChoices(this.options)[0]);
    try {
      const facts = await child.process.ask<'loaded'>(question, this.options.loadTimeoutMs);
      child.loaded.add(key);
      return facts;
    } catch (error) {
      throw aboutModel(source, error);
    }
  }

  #endWhenIdle(): void {
    if (this.#models.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const ending = this.#child;
    this.#child = undefined;
    await ending?.process.close();
  }
}

/** Wraps a failure from before the question was asked, for which the question is not to blame. */
function notToBlame(consequence: string, error: unknown): PartituraError {
  const { message } = PartituraError.from(error);
  return new PartituraError('INTERNAL', `${consequence}: ${message}`, { cause: error });
}

class IsolatedModel implements LoadedModel {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  readonly loadMs: number;
  readonly isInline = false;
  readonly threads = 1;
  declare readonly cores?: number;
  declare readonly signatureNames?: SignatureNames;

  constructor(
    readonly engine: IsolatedEngine,
    readonly key: number,
    readonly source: ModelSource,
    { signature, backend, cores, signatureNames, loadMs }: LoadedFacts,
  ) {
    this.signature = signature;
    this.backend = backend;
    this.loadMs = loadMs;
    if (cores !== undefined) this.cores = cores;
    if (signatureNames) this.signatureNames = signatureNames;
  }

  async run(inputs: readonly EngineTensor[], limitMs?: number): Promise<EngineResult> {
    try {
      return await this.engine.run(this.key, inputs, this.signature, limitMs);
    } catch (error) {
      throw aboutModel(this.source, error);
    }
  }

  replicateToAllThreads(): Promise<void> {
    return Promise.resolve();
  }

  shrinkToOneThread(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing in the node's own process: that is what this engine is for. */
  moveInline(): Promise<void> {
    return Promise.reject(new PartituraError('INTERNAL', 'an isolated model does not run in the event loop'));
  }

  unload(): Promise<void> {
    return this.engine.unload(this.key);
  }
}
