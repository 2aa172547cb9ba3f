import { backoffMs, sleep, type Backoff } from '../core/time.js';
import type { Config } from '../core/config/config.js';
import { startNodeProcess, type NodeExit, type NodeProcess } from './node-process.js';

const BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000 };
/** Consecutive failed starts after which the node is given up. */
const MOST_FAILED_STARTS = 5;

/** Callbacks of a supervised node. */
export interface NodeListeners {
  /** Called with each line of the node's log. */
  readonly log?: (line: string) => void;
  /** Called with a message when the node has ended unexpectedly and is being restarted. */
  readonly onRestart?: ((sentence: string) => void) | undefined;
}

/** An inference node that is restarted when it ends unexpectedly, as on a container platform. */
export class SupervisedNode {
  #restarts = 0;
  readonly #stopping = new AbortController();
  #reportFailure: (error: Error) => void = () => undefined;
  /** Resolves with the reason when the node can no longer be restarted. */
  readonly failed = new Promise<Error>((resolve) => (this.#reportFailure = resolve));
  readonly #running: Promise<void>;

  #current: NodeProcess;

  private constructor(
    current: NodeProcess,
    readonly config: Partial<Config>,
    readonly listeners: NodeListeners,
  ) {
    this.#current = current;
    this.#running = this.#keepRunning();
  }

  /** Starts the node for the first time. @throws Error with the node's last message if it ends before it is ready */
  static async start(
    config: Partial<Config>,
    listeners: NodeListeners = {},
    signal?: AbortSignal,
  ): Promise<SupervisedNode> {
    return new SupervisedNode(await startNodeProcess(config, logTo(listeners), signal), config, listeners);
  }

  /** The current process, or the last one. */
  get process(): NodeProcess {
    return this.#current;
  }

  get restarts(): number {
    return this.#restarts;
  }

  kill(signal: NodeJS.Signals): void {
    this.#current.kill(signal);
  }

  /** Stops the node after its requests in flight and prevents further restarts. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current.stop();
    await this.#running;
  }

  async #keepRunning(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const exit = await this.#current.exited;
      if (this.#stopping.signal.aborted) return;
      this.listeners.onRestart?.(`${this.#current.ready.node} ended with ${reasonOf(exit)}; restarting it`);
      if (!(await this.#restart())) return;
    }
  }

  /** @returns true if the node serves again */
  async #restart(): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      await sleep(backoffMs(BACKOFF, attempt), this.#stopping.signal);
      if (this.#stopping.signal.aborted) return false;
      try {
        this.#restarts++;
        this.#current = await startNodeProcess(this.config, logTo(this.listeners), this.#stopping.signal);
        if (this.#stopping.signal.aborted) await this.#current.stop();
        return true;
      } catch (error) {
        if (this.#stopping.signal.aborted) return false;
        if (attempt < MOST_FAILED_STARTS) continue;
        this.#reportFailure(error as Error);
        return false;
      }
    }
  }
}

function logTo({ log }: NodeListeners): (line: string) => void {
  return log ?? ((): void => undefined);
}

function reasonOf({ code, signal, reason }: NodeExit): string {
  return `${signal ?? `exit code ${code}`}: ${reason}`;
}
