import { sleep, backoffMs, type Backoff } from '../../core/retry.js';
import { PartituraError } from '../../schemas/errors.js';
import type { BatchLimits } from '../batching/batcher.js';
import type { Engine, EngineResult, EngineTensor, LoadedModel, ModelSource } from '../engine/engine.js';

/** Suspects are computed one by one: no batch, no cut, nothing beside it. */
export const SUSPECT_LIMITS: BatchLimits = {
  maxBatchRows: 1,
  maxBatchDelayMs: 0,
  parallelism: 1,
  aheadRows: Infinity,
  batchable: false,
};

/** A process that cannot be started has nothing to do with the request: that is tried so often. */
const MOST_LOADS = 5;
const BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000 };
/** Once no suspect has come for this long, the model is unloaded from the child process. */
const IDLE_MS = 10_000;

/** A version in a child process, loaded with the first request that is computed there. */
export class IsolatedModel {
  #loading: Promise<LoadedModel> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(
    readonly engine: Engine,
    readonly source: ModelSource,
  ) {}

  /**
   * Computes one request. The first death of the process may have had another cause, so there is a second try.
   * @throws PartituraError MODEL_CRASHED when the process died of it twice
   */
  async run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    clearTimeout(this.#idle);
    try {
      return await this.#runTwice(inputs);
    } finally {
      this.#idle = setTimeout(() => void this.unload(), IDLE_MS).unref();
    }
  }

  async #runTwice(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    const first = await this.#runOnce(inputs);
    if (!(first instanceof PartituraError)) return first;
    const second = await this.#runOnce(inputs);
    if (!(second instanceof PartituraError)) return second;
    throw second;
  }

  /** @returns the crash, where the process died of the request */
  async #runOnce(inputs: readonly EngineTensor[]): Promise<EngineResult | PartituraError> {
    const model = await this.#loaded();
    try {
      return await model.run(inputs);
    } catch (error) {
      if (!isCrash(error)) throw error;
      // Loaded again before the next run, so that a crash is known to be the run's.
      await this.unload();
      return error;
    }
  }

  async #loaded(): Promise<LoadedModel> {
    for (let attempt = 1; ; attempt++) {
      this.#loading ??= this.engine.load(this.source);
      try {
        return await this.#loading;
      } catch (error) {
        this.#loading = undefined;
        if (attempt === MOST_LOADS) throw notLoaded(error);
        await sleep(backoffMs(BACKOFF, attempt));
      }
    }
  }

  async unload(): Promise<void> {
    clearTimeout(this.#idle);
    const loading = this.#loading;
    this.#loading = undefined;
    await (await loading?.catch(() => undefined))?.unload();
  }
}

function isCrash(error: unknown): error is PartituraError {
  return error instanceof PartituraError && error.code === 'MODEL_CRASHED';
}

function notLoaded(error: unknown): PartituraError {
  const message = `could not be computed in a child process: ${PartituraError.from(error).message}`;
  return new PartituraError('INTERNAL', message, { cause: error });
}
