import { backoffMs, sleep, type Backoff } from '../core/time.js';
import type { Config } from '../core/config/config.js';
import { startNodeProcess, type NodeExit, type NodeProcess } from './node-process.js';

const BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000 };
/** Starts in a row that may fail before the node is given up. */
const MOST_FAILED_STARTS = 5;

/** Listeners of a supervised node. */
export interface NodeListeners {
  /** Called with each line that the node writes to its log. */
  readonly log?: (line: string) => void;
  /** Called with a sentence when the node has ended by itself and is started again. */
  readonly onRestart?: ((sentence: string) => void) | undefined;
}

/** An inference node that is started again when it ends by itself, as a container platform does it. */
export class SupervisedNode {
  #restarts = 0;
  readonly #stopping = new AbortController();
  #reportFailure: (error: Error) => void = () => undefined;
  /** Resolves with the reason when the node cannot be started any more. */
  readonly failed = new Promise<Error>((resolve) => (this.#reportFailure = resolve));
  readonly #running: Promise<void>;

  private constructor(
    private current: NodeProcess,
    private readonly config: Partial<Config>,
    private readonly listeners: NodeListeners,
  ) {
    this.#running = this.#keepRunning();
  }

  /** Starts it the first time. @throws Error with the node's own words when it ends before it serves */
  static async start(
    config: Partial<Config>,
    listeners: NodeListeners = {},
    signal?: AbortSignal,
  ): Promise<SupervisedNode> {
    return new SupervisedNode(await startNodeProcess(config, logTo(listeners), signal), config, listeners);
  }

  /** The process that serves, or did last. */
  get process(): NodeProcess {
    return this.current;
  }

  get restarts(): number {
    return this.#restarts;
  }

  kill(signal: NodeJS.Signals): void {
    this.current.kill(signal);
  }

  /** Lets it finish what is under way, and starts it no more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.current.stop();
    await this.#running;
  }

  async #keepRunning(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const exit = await this.current.exited;
      if (this.#stopping.signal.aborted) return;
      this.listeners.onRestart?.(`${this.current.ready.node} ended with ${reasonOf(exit)}; restarting it`);
      if (!(await this.#restart())) return;
    }
  }

  /** @returns whether it serves again */
  async #restart(): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      await sleep(backoffMs(BACKOFF, attempt), this.#stopping.signal);
      if (this.#stopping.signal.aborted) return false;
      try {
        this.#restarts++;
        this.current = await startNodeProcess(this.config, logTo(this.listeners), this.#stopping.signal);
        if (this.#stopping.signal.aborted) await this.current.stop();
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
