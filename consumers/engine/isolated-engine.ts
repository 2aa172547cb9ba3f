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
import type { BatchOutcome, LoadedFacts } from './thread/messages.js';

/** Time without a loaded model after which the child process is stopped. */
const IDLE_MS = 10_000;

/** A child process and the models loaded into it. */
interface Child {
  readonly process: EngineProcess;
  readonly loaded: Set<number>;
}

/**
 * An engine in one child process, for work that may crash: trials of new versions and suspect requests. The process is
 * started for the first model and restarted after a crash. Requests are sent one at a time, so that a crash is attributed
 * to the request being computed and fails no other.
 */
export class IsolatedEngine implements Engine {
  readonly threads = 1;
  #nextKey = 1;
  readonly #models = new Map<number, ModelSource>();
  #child: Child | undefined;
  /** Settles when all requests queued so far are done. */
  #tail: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(readonly options: Required<EngineOptions>) {}

  get coreChoices(): readonly number[] {
    return coreChoices(this.options);
  }

  load(source: ModelSource): Promise<LoadedModel> {
    const key = this.#nextKey++;
    return this.#enqueue(async () => {
      try {
        const facts = await this.#loadInto(await this.#runningChild(), key, source);
        this.#models.set(key, source);
        return new IsolatedModel(this, key, source, facts);
      } catch (error) {
        this.#endWhenIdle();
        throw error;
      }
    });
  }

  /** @throws PartituraError MODEL_CRASHED if this run crashed the process */
  run(
    key: number,
    inputs: Parameters<typeof arrangeInputs>[1],
    signature: ModelSignature,
    limitMs = this.options.runTimeoutMs,
  ): Promise<EngineResult> {
    return this.#enqueue(async () => {
      const child = await this.#childWith(key);
      const tensors = arrangeInputs(signature.inputs, inputs);
      const request = { kind: 'run', key, ...tensors } as const;
      return resultOf(signature, await child.process.request<'result'>(request, limitMs));
    });
  }

  /** @throws PartituraError MODEL_CRASHED if one of the batches crashed the process */
  runEach(
    key: number,
    batches: readonly (readonly EngineTensor[])[],
    signature: ModelSignature,
    limitMs: number,
  ): Promise<(EngineResult | PartituraError)[]> {
    return this.#enqueue(async () => {
      const child = await this.#childWith(key);
      const arranged = batches.map((inputs) => arrangeInputs(signature.inputs, inputs));
      const request = { kind: 'run-each', key, batches: arranged } as const;
      const { outcomes } = await child.process.request<'results'>(request, limitMs);
      return outcomes.map((outcome) =>
        outcome.kind === 'failed'
          ? new PartituraError(outcome.code, outcome.message)
          : resultOf(signature, outcome),
      );
    });
  }

  unload(key: number): Promise<void> {
    return this.#enqueue(async () => {
      this.#models.delete(key);
      const child = this.#child;
      if (child?.loaded.delete(key) && !child.process.isLost)
        await child.process
          .request({ kind: 'unload', key }, this.options.loadTimeoutMs)
          .catch(() => undefined);
      this.#endWhenIdle();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Returns the child process, restarting it after a crash. @throws PartituraError INTERNAL if it cannot be started */
  async #runningChild(): Promise<Child> {
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
      throw setupError('could not start a child process', error);
    }
  }

  /** Returns the child process with the model loaded. @throws PartituraError INTERNAL if the model cannot be loaded */
  async #childWith(key: number): Promise<Child> {
    const source = this.#models.get(key);
    if (!source) throw new PartituraError('MODEL_NOT_READY', 'has been unloaded');
    const child = await this.#runningChild();
    if (child.loaded.has(key)) return child;
    try {
      await this.#loadInto(child, key, source);
      return child;
    } catch (error) {
      throw setupError('could not be reloaded into a child process', error);
    }
  }

  /** @throws PartituraError naming the model */
  async #loadInto(child: Child, key: number, source: ModelSource): Promise<LoadedFacts> {
    const request = loadRequest(key, source, coreChoices(this.options)[0]);
    try {
      const facts = await child.process.request<'loaded'>(request, this.options.loadTimeoutMs);
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

function resultOf(
  { outputs }: ModelSignature,
  { computeMicros, ...tensors }: Extract<BatchOutcome, { kind: 'result' }>,
): EngineResult {
  return { outputs: nameOutputs(outputs, tensors), computeMicros };
}

/** Wraps a failure that occurred before the request was sent, so that it does not count against the request. */
function setupError(consequence: string, error: unknown): PartituraError {
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

  async runEach(
    batches: readonly (readonly EngineTensor[])[],
    limitMs: number,
  ): Promise<(EngineResult | PartituraError)[]> {
    try {
      const results = await this.engine.runEach(this.key, batches, this.signature, limitMs);
      return results.map((result) =>
        result instanceof PartituraError ? aboutModel(this.source, result) : result,
      );
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

  /** Always rejects: this engine exists to keep the model out of the node's process. */
  moveInline(): Promise<void> {
    return Promise.reject(new PartituraError('INTERNAL', 'an isolated model cannot run on the event loop'));
  }

  unload(): Promise<void> {
    return this.engine.unload(this.key);
  }
}
