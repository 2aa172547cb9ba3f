import { backoffMs, sleep } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { DoneParts } from './done-parts.js';
import { PartsFailedError, type Part } from './part.js';
import { StragglerLimit } from './straggler-limit.js';

/** Sends a part to a node. @throws PartituraError that tells if a retry may help */
export type SendPart = (part: Part, signal: AbortSignal) => Promise<readonly Tensor[]>;

export interface DispatchLimits {
  /** Parts in flight, results that wait for earlier ones included. */
  readonly parts: number;
  /** Bytes of these parts and results. */
  readonly bytes: number;
  /** Time for which a part is sent again after failures that may pass, such as a restart of the nodes, milliseconds. */
  readonly retryMs: number;
}

interface PendingPart {
  readonly index: number;
  readonly result: Promise<readonly Tensor[]>;
  /** Bytes of the request and, once it has one, of its result. */
  bytes: number;
}

const RETRY = { firstMs: 200, maxMs: 5_000 };
/** Interval at which a part in flight is compared with the time that others take, milliseconds. */
const LATE_CHECK_MS = 200;

/**
 * Sends the parts of one job to nodes and hands on their results in the order of the parts. Parts that take much longer
 * than others are sent a second time; the first result counts.
 */
export class Dispatcher {
  readonly done = new DoneParts();
  readonly #late = new StragglerLimit();
  #next = 0;
  #repeated = 0;
  #isFailing = false;

  /** @param signal aborts the job */
  constructor(
    readonly send: SendPart,
    readonly limits: DispatchLimits,
    readonly signal: AbortSignal,
  ) {}

  /** Parts that were sent a second time. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Counts parts that an earlier coordinator has finished. */
  skip(count: number): void {
    for (let index = 0; index < count; index++) this.done.add(this.#next++);
  }

  /**
   * Yields the results of parts in their order; reads on only while there is room.
   * @throws PartsFailedError naming the parts that failed, once those in flight have ended
   */
  async *inOrder(parts: Iterable<Part> | AsyncIterable<Part>): AsyncGenerator<readonly Tensor[]> {
    const failing = new AbortController();
    const pending: PendingPart[] = [];
    const take = async (): Promise<readonly Tensor[]> => {
      const [oldest] = pending;
      const result = await (oldest as PendingPart).result;
      pending.shift();
      return result;
    };
    try {
      for await (const part of parts) {
        while (pending.length > 0 && !this.#hasRoom(pending)) yield await take();
        this.signal.throwIfAborted();
        pending.push(this.#begin(part, AbortSignal.any([this.signal, failing.signal])));
      }
      while (pending.length > 0) yield await take();
    } catch (error) {
      if (error instanceof PartsFailedError) throw await withOthers(error, pending);
      throw error;
    } finally {
      // A reader that stops early does not need the rest.
      failing.abort(new Error('the job has ended'));
      for (const { result } of pending) result.catch(() => undefined);
    }
  }

  #hasRoom(pending: readonly PendingPart[]): boolean {
    const bytes = pending.reduce((sum, part) => sum + part.bytes, 0);
    return pending.length < this.limits.parts && bytes < this.limits.bytes;
  }

  #begin(part: Part, signal: AbortSignal): PendingPart {
    const index = this.#next++;
    const result = this.#complete(part, index, signal);
    const pending: PendingPart = { index, result, bytes: bytesOf(part.inputs) };
    void result.then(
      (outputs) => (pending.bytes = bytesOf(outputs)),
      () => undefined,
    );
    return pending;
  }

  async #complete(part: Part, index: number, signal: AbortSignal): Promise<readonly Tensor[]> {
    const giveUpAt = performance.now() + this.limits.retryMs;
    for (let attempt = 1; ; attempt++) {
      try {
        const outputs = await this.#first(part, signal);
        this.done.add(index);
        return outputs;
      } catch (cause) {
        signal.throwIfAborted();
        const error = PartituraError.from(cause);
        if (this.#isFailing || !error.retryable || performance.now() >= giveUpAt) {
          // Other parts are not sent again for a job that fails.
          this.#isFailing = true;
          throw new PartsFailedError([index], error);
        }
        await sleep(backoffMs(RETRY, attempt), signal);
      }
    }
  }

  /** Returns the first result of a part, which is sent again if it is late. */
  async #first(part: Part, signal: AbortSignal): Promise<readonly Tensor[]> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const startedAt = performance.now();
    try {
      const first = this.send(part, both);
      const result = await Promise.race([first, this.#whenLate(startedAt, ended.signal)]);
      const outputs = result ?? (await this.#again(part, first, both));
      this.#late.note(performance.now() - startedAt);
      return outputs;
    } finally {
      ended.abort();
    }
  }

  #again(part: Part, first: Promise<readonly Tensor[]>, signal: AbortSignal): Promise<readonly Tensor[]> {
    this.#repeated++;
    return Promise.any([first, this.send(part, signal)]).catch((errors: AggregateError) => {
      throw errors.errors[0] as Error;
    });
  }

  async #whenLate(startedAt: number, ended: AbortSignal): Promise<undefined> {
    do await sleep(LATE_CHECK_MS, ended);
    while (!ended.aborted && performance.now() - startedAt < this.#late.ms);
  }
}

/** Adds the other parts that fail, so that the failure names all of them. */
async function withOthers(
  error: PartsFailedError,
  pending: readonly PendingPart[],
): Promise<PartsFailedError> {
  const ends = await Promise.allSettled(pending.map(({ result }) => result));
  const failed = new Set(error.parts);
  for (const end of ends)
    if (end.status === 'rejected' && end.reason instanceof PartsFailedError)
      for (const part of end.reason.parts) failed.add(part);
  return new PartsFailedError(
    [...failed].sort((a, b) => a - b),
    error.cause,
  );
}

function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { data }) => sum + data.length, 0);
}
