import type { BindingDefinition } from '../../cluster/bindings/definition.js';
import type { AppliedBinding } from '../../cluster/bindings/store.js';
import { backoffMs, sleep, type Backoff } from '../../core/time.js';
import { isOutage } from '../../kafka/port.js';
import type { BindingStatus } from '../../schemas/generated.js';
import type { ModelSignature } from '../engine/engine.js';
import type { ServedVersion } from '../models/served-version.js';
import { startBinding, type BindingConsumer, type BindingParts, type BindingRun } from './start-binding.js';

const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 30_000 };

type BindingState = 'WAITING' | 'STARTING' | 'RUNNING' | 'FAILED';

/**
 * Supervises one binding on one node: runs it while a version of its model is available, restarts it when the model's
 * signature changes, and retries failures with backoff. A new run reads unfinished records again.
 */
export class BindingRunner {
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #state: BindingState = 'WAITING';
  #message: string | null = null;
  #run: BindingRun | undefined;
  /** Waiters for a change of the model's versions. */
  #waiting: (() => void)[] = [];

  /** @param earlier returns the bindings applied before this one; the last binding of a circle is refused */
  constructor(
    readonly applied: AppliedBinding,
    readonly earlier: () => readonly BindingDefinition[],
    readonly parts: BindingParts,
  ) {
    this.#running = this.#keepRunning();
  }

  get status(): BindingStatus {
    const { definition, revision } = this.applied;
    return { binding: definition.name, revision, state: this.#state, message: this.#message };
  }

  get owned(): BindingConsumer['owned'] {
    return this.#run?.consumer.owned ?? [];
  }

  /** Called when the available versions of a model have changed. */
  onModel(model: string): void {
    if (model === this.applied.definition.model) this.#wake();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #keepRunning(): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted;) {
      const version = this.#version();
      if (version instanceof Error) {
        this.#enter('WAITING', version.message);
        await this.#change();
        continue;
      }
      const failure = await this.#runOnce(version.signature);
      if (!failure) failures = 0;
      else if (!this.#closing.signal.aborted) {
        this.#enter(isOutage(failure) ? 'WAITING' : 'FAILED', failure.message);
        await sleep(backoffMs(BACKOFF, ++failures), this.#closing.signal);
      }
    }
  }

  /** Runs until the model's signature changes or the node stops. @returns the reason of a failure */
  async #runOnce(signature: ModelSignature): Promise<Error | undefined> {
    const stopped = new FirstError();
    try {
      this.#enter('STARTING', null);
      this.#run = await startBinding(
        {
          definition: this.applied.definition,
          signature,
          earlier: this.earlier(),
          version: () => this.#fits(signature),
          onStopped: (error) => stopped.report(error),
        },
        this.parts,
      );
      this.#enter('RUNNING', null);
      const failure = await Promise.race([stopped.reported, this.#untilSignatureChanges(signature, stopped)]);
      await this.#end(failure !== undefined);
      return failure;
    } catch (error) {
      await this.#end(true);
      return error as Error;
    }
  }

  async #untilSignatureChanges(signature: ModelSignature, stopped: FirstError): Promise<undefined> {
    while (!this.#closing.signal.aborted && !stopped.error && this.#fits(signature)) await this.#change();
    return undefined;
  }

  #change(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #end(isFailed: boolean): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    if (isFailed) await run.consumer.abandon();
    await run.close();
  }

  /** Returns the version that answers, or the reason why there is none. */
  #version(): ServedVersion | Error {
    const { model, version = null } = this.applied.definition;
    try {
      return this.parts.catalog.resolve(model, version);
    } catch (error) {
      return error as Error;
    }
  }

  /** Returns the version that answers if its signature is still this one. */
  #fits(signature: ModelSignature): ServedVersion | undefined {
    const version = this.#version();
    return !(version instanceof Error) && isSame(version.signature, signature) ? version : undefined;
  }

  #enter(state: BindingState, message: string | null): void {
    if (state === this.#state && message === this.#message) return;
    this.#state = state;
    this.#message = message;
    const { name: binding, model } = this.applied.definition;
    const level = state === 'FAILED' ? 'warn' : 'info';
    this.parts.log[level]({ binding, model, state, message }, 'binding state changed');
    this.parts.onChange();
  }
}

/** The first of several errors. */
class FirstError {
  error: Error | undefined;
  #resolve: (error: Error) => void = () => undefined;
  readonly reported = new Promise<Error>((resolve) => (this.#resolve = resolve));

  report(error: Error): void {
    this.error ??= error;
    this.#resolve(error);
  }
}

function isSame(a: ModelSignature, b: ModelSignature): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
