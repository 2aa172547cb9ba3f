import { setTimeout as sleep } from 'node:timers/promises';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelSource } from './engine.js';
import { EngineThread } from './engine-thread.js';
import { loadRequest } from './load-request.js';
import { aboutModel } from './model-errors.js';
import { coreChoices, type EngineOptions } from './options.js';
import type { EngineResponse, LoadedFacts, Tensors } from './thread/messages.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/**
 * A place for one thread that is filled again when the thread is lost: a fresh one starts, loads the same
 * models and takes over. What waited in the lost thread has failed by then; its buffers went with it.
 */
export class ThreadSlot {
  #thread: EngineThread | undefined;
  /** What its thread should hold, and what it does. */
  readonly #models = new Map<number, ModelSource>();
  readonly #held = new Set<number>();
  #filling: Promise<unknown> = Promise.resolve();
  #replacing: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(readonly options: Required<EngineOptions>) {}

  /** @throws PartituraError when the thread can't be started */
  open(): Promise<void> {
    return this.#fill();
  }

  /** True while its thread is there and holds the model. */
  serves(key: number): boolean {
    return this.#thread !== undefined && this.#held.has(key);
  }

  get backlog(): number {
    return this.#thread?.backlog ?? Infinity;
  }

  /** Settles when a lost thread has been replaced, at once when none is lost; rejects when the attempt fails. */
  async whole(): Promise<void> {
    await this.#filling;
  }

  async load(key: number, source: ModelSource): Promise<LoadedFacts> {
    await this.whole();
    const facts = await this.#loadInto(this.#present(), key, source);
    this.#models.set(key, source);
    this.#held.add(key);
    return facts;
  }

  async unload(key: number): Promise<void> {
    this.#models.delete(key);
    await this.#filling.catch(() => undefined);
    if (this.#held.delete(key))
      await this.#present().ask<'unloaded'>({ kind: 'unload', key }, this.options.loadTimeoutMs);
  }

  run(key: number, { shapes, buffers }: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    return this.#present().ask<'result'>(
      { kind: 'run', key, shapes, buffers },
      this.options.runTimeoutMs,
      buffers,
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#thread?.end(this.options.closeTimeoutMs);
    await this.#replacing;
  }

  #present(): EngineThread {
    if (this.#thread) return this.#thread;
    throw new PartituraError('INTERNAL', "the engine's thread is being replaced");
  }

  async #fill(): Promise<void> {
    const { closeTimeoutMs, startTimeoutMs, backend } = this.options;
    const thread: EngineThread = new EngineThread(backend, (reason) => this.#lost(thread, reason));
    const endOnClose = (): void => void thread.end(closeTimeoutMs);
    this.#closing.signal.addEventListener('abort', endOnClose);
    try {
      await thread.started(startTimeoutMs);
      for (const [key, source] of this.#models) await this.#reload(thread, key, source);
      this.#thread = thread;
    } catch (error) {
      await thread.end(closeTimeoutMs);
      throw error;
    } finally {
      this.#closing.signal.removeEventListener('abort', endOnClose);
    }
  }

  /** A model that can't be loaded again must not keep the others from being served. */
  async #reload(thread: EngineThread, key: number, source: ModelSource): Promise<void> {
    try {
      await this.#loadInto(thread, key, source);
      this.#held.add(key);
    } catch (error) {
      if (thread.isLost) throw error;
      this.options.onError(PartituraError.from(error));
    }
  }

  #lost(thread: EngineThread, reason: PartituraError): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    this.#held.clear();
    if (this.#closing.signal.aborted) return;
    this.options.onError(reason);
    this.#filling = this.#fill();
    this.#replacing = this.#keepFilling();
  }

  /** Tries until it works or the engine is closed, with growing pauses: a model that kills its thread must not spin. */
  async #keepFilling(): Promise<void> {
    for (
      let pauseMs = FIRST_PAUSE_MS;
      !this.#closing.signal.aborted;
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    ) {
      const failure = await this.#filling.then(
        () => undefined,
        (error) => PartituraError.from(error),
      );
      if (!failure || this.#closing.signal.aborted) return;
      this.#held.clear();
      this.options.onError(failure);
      await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (!this.#closing.signal.aborted) this.#filling = this.#fill();
    }
  }

  /** @throws PartituraError MODEL_FAILED that names the model */
  async #loadInto(thread: EngineThread, key: number, source: ModelSource): Promise<LoadedFacts> {
    const question = loadRequest(key, source, coreChoices(this.options)[0]);
    try {
      return await thread.ask<'loaded'>(question, this.options.loadTimeoutMs);
    } catch (error) {
      throw aboutModel(source, error);
    }
  }
}
