import { setTimeout as sleep } from 'node:timers/promises';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelSource } from './engine.js';
import { EngineThread } from './engine-thread.js';
import { loadRequest } from './load-request.js';
import { aboutModel } from './model-errors.js';
import { coreChoices, type EngineOptions } from './options.js';
import type { EngineResponse, LoadedFacts, Tensors } from './thread/messages.js';

const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;

/**
 * Keeps one engine thread running: when the thread is lost, a new one starts, loads the same models and takes over.
 * Requests queued in the lost thread fail, because their buffers had been transferred to it.
 */
export class ThreadSlot {
  #thread: EngineThread | undefined;
  /** Models that the thread should have loaded. */
  readonly #models = new Map<number, ModelSource>();
  /** Models that it has loaded. */
  readonly #loaded = new Set<number>();
  #starting: Promise<unknown> = Promise.resolve();
  #restarting: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(readonly options: Required<EngineOptions>) {}

  /** @throws PartituraError if the thread cannot be started */
  open(): Promise<void> {
    return this.#start();
  }

  /** True if its thread is running and has the model loaded. */
  serves(key: number): boolean {
    return this.#thread !== undefined && this.#loaded.has(key);
  }

  get backlog(): number {
    return this.#thread?.backlog ?? Infinity;
  }

  /** Resolves once a lost thread has been replaced, or immediately if none was lost; rejects if the attempt fails. */
  async ready(): Promise<void> {
    await this.#starting;
  }

  async load(key: number, source: ModelSource): Promise<LoadedFacts> {
    await this.ready();
    const facts = await this.#loadInto(this.#requireThread(), key, source);
    this.#models.set(key, source);
    this.#loaded.add(key);
    return facts;
  }

  async unload(key: number): Promise<void> {
    this.#models.delete(key);
    await this.#starting.catch(() => undefined);
    if (this.#loaded.delete(key))
      await this.#requireThread().request<'unloaded'>({ kind: 'unload', key }, this.options.loadTimeoutMs);
  }

  run(key: number, { shapes, buffers }: Tensors): Promise<Extract<EngineResponse, { kind: 'result' }>> {
    return this.#requireThread().request<'result'>(
      { kind: 'run', key, shapes, buffers },
      this.options.runTimeoutMs,
      buffers,
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#thread?.end(this.options.closeTimeoutMs);
    await this.#restarting;
  }

  #requireThread(): EngineThread {
    if (this.#thread) return this.#thread;
    throw new PartituraError('INTERNAL', 'the engine thread is being replaced');
  }

  async #start(): Promise<void> {
    const { closeTimeoutMs, startTimeoutMs, backend } = this.options;
    const thread: EngineThread = new EngineThread(backend, (reason) => this.#onLoss(thread, reason));
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

  /** Reloads a model, reporting a failure instead of throwing: it must not prevent the other models from serving. */
  async #reload(thread: EngineThread, key: number, source: ModelSource): Promise<void> {
    try {
      await this.#loadInto(thread, key, source);
      this.#loaded.add(key);
    } catch (error) {
      if (thread.isLost) throw error;
      this.options.onError(PartituraError.from(error));
    }
  }

  #onLoss(thread: EngineThread, reason: PartituraError): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    this.#loaded.clear();
    if (this.#closing.signal.aborted) return;
    this.options.onError(reason);
    this.#starting = this.#start();
    this.#restarting = this.#restart();
  }

  /**
   * Retries with backoff until a thread has started or the engine is closed, so that a crashing model causes no busy loop.
   */
  async #restart(): Promise<void> {
    for (
      let backoffMs = INITIAL_BACKOFF_MS;
      !this.#closing.signal.aborted;
      backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS)
    ) {
      const failure = await this.#starting.then(
        () => undefined,
        (error) => PartituraError.from(error),
      );
      if (!failure || this.#closing.signal.aborted) return;
      this.#loaded.clear();
      this.options.onError(failure);
      await sleep(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (!this.#closing.signal.aborted) this.#starting = this.#start();
    }
  }

  /** @throws PartituraError MODEL_FAILED naming the model */
  async #loadInto(thread: EngineThread, key: number, source: ModelSource): Promise<LoadedFacts> {
    const request = loadRequest(key, source, coreChoices(this.options)[0]);
    try {
      return await thread.request<'loaded'>(request, this.options.loadTimeoutMs);
    } catch (error) {
      throw aboutModel(source, error);
    }
  }
}
