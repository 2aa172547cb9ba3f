import { sleep, backoffMs, type Backoff } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import type { BatchLimits } from '../batching/limits.js';
import type { Engine, EngineResult, EngineTensor, LoadedModel, ModelSource } from '../engine/engine.js';

/**
 * Returns the limits of suspect batches. A batch that crashes its process is bisected, without a time limit, until a
 * request crashes it alone, so that no innocent request is blamed.
 */
export function suspectLimits(limits: BatchLimits): BatchLimits {
  return {
    ...limits,
    parallelism: 1,
    prefetchRows: Infinity,
    isolationLimitMs: Infinity,
    needsConfirmation: isCrash,
  };
}

/** Attempts to load the model; a process that cannot be started is not the request's fault. */
const MAX_LOADS = 5;
const BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000 };
/** Time without suspect requests after which the model is unloaded from the child process. */
const IDLE_MS = 10_000;

/** A version in a child process, loaded on first use. */
export class IsolatedModel {
  #loading: Promise<LoadedModel> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(
    readonly engine: Engine,
    readonly source: ModelSource,
  ) {}

  /**
   * Computes a batch.
   * @throws PartituraError MODEL_CRASHED if the batch crashed the process
   */
  async run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    clearTimeout(this.#idle);
    const model = await this.#loaded();
    try {
      return await model.run(inputs);
    } catch (error) {
      // Forces a reload before the next run, so that a crash while loading is not attributed to that run.
      if (isCrash(error)) await this.unload();
      throw error;
    } finally {
      this.#idle = setTimeout(() => void this.unload(), IDLE_MS).unref();
    }
  }

  async #loaded(): Promise<LoadedModel> {
    for (let attempt = 1; ; attempt++) {
      this.#loading ??= this.engine.load(this.source);
      try {
        return await this.#loading;
      } catch (error) {
        this.#loading = undefined;
        if (attempt === MAX_LOADS) throw notLoaded(error);
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

function isCrash(error: unknown): boolean {
  return error instanceof PartituraError && error.code === 'MODEL_CRASHED';
}

function notLoaded(error: unknown): PartituraError {
  const message = `could not be computed in a child process: ${PartituraError.from(error).message}`;
  return new PartituraError('INTERNAL', message, { cause: error });
}
