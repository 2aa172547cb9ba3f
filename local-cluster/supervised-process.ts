import { backoffMs, sleep, type Backoff } from '../core/time.js';
import type { Config } from '../core/config/config.js';
import {
  startCoordinatorProcess,
  startGatewayProcess,
  startNodeProcess,
  type CoordinatorReady,
  type GatewayReady,
  type NodeReady,
  type ProcessExit,
  type RoleProcess,
  type StartOptions,
} from './role-process.js';

const BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000 };
/** Consecutive failed starts after which the process is given up. */
const MAX_FAILED_STARTS = 5;

/** Callbacks of a supervised process. */
export interface ProcessListeners {
  /** Called with each line of the process's log. */
  readonly log?: (line: string) => void;
  /** Called with a message when the process has ended unexpectedly and is being restarted. */
  readonly onRestart?: ((sentence: string) => void) | undefined;
}

type Start<Ready> = (options: StartOptions) => Promise<RoleProcess<Ready>>;

/** A process of the cluster that is restarted when it ends unexpectedly, as on a container platform. */
export class SupervisedProcess<Ready> {
  #restarts = 0;
  readonly #stopping = new AbortController();
  #reportFailure: (error: Error) => void = () => undefined;
  /** Resolves with the reason when the process can no longer be restarted. */
  readonly failed = new Promise<Error>((resolve) => (this.#reportFailure = resolve));
  readonly #running: Promise<void>;

  #current: RoleProcess<Ready>;

  private constructor(
    current: RoleProcess<Ready>,
    readonly nameOf: (ready: Ready) => string,
    readonly startProcess: Start<Ready>,
    readonly listeners: ProcessListeners,
  ) {
    this.#current = current;
    this.#running = this.#keepRunning();
  }

  /**
   * Starts the process for the first time.
   * @param nameOf names the process in messages
   * @throws Error with its last message if it ends before it is ready
   */
  static async start<Ready>(
    nameOf: (ready: Ready) => string,
    startProcess: Start<Ready>,
    listeners: ProcessListeners = {},
    signal?: AbortSignal,
  ): Promise<SupervisedProcess<Ready>> {
    const process = await startProcess({ log: logTo(listeners), signal });
    return new SupervisedProcess(process, nameOf, startProcess, listeners);
  }

  /** The current process, or the last one. */
  get process(): RoleProcess<Ready> {
    return this.#current;
  }

  get restarts(): number {
    return this.#restarts;
  }

  kill(signal: NodeJS.Signals): void {
    this.#current.kill(signal);
  }

  /** Stops the process after its requests in flight and prevents further restarts. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current.stop();
    await this.#running;
  }

  async #keepRunning(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const exit = await this.#current.exited;
      if (this.#stopping.signal.aborted) return;
      this.listeners.onRestart?.(
        `${this.nameOf(this.#current.ready)} ended with ${reasonOf(exit)}; restarting it`,
      );
      if (!(await this.#restart())) return;
    }
  }

  /** @returns true if the process serves again */
  async #restart(): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      await sleep(backoffMs(BACKOFF, attempt), this.#stopping.signal);
      if (this.#stopping.signal.aborted) return false;
      try {
        this.#restarts++;
        this.#current = await this.startProcess({
          log: logTo(this.listeners),
          signal: this.#stopping.signal,
        });
        if (this.#stopping.signal.aborted) await this.#current.stop();
        return true;
      } catch (error) {
        if (this.#stopping.signal.aborted) return false;
        if (attempt < MAX_FAILED_STARTS) continue;
        this.#reportFailure(error as Error);
        return false;
      }
    }
  }
}

export type SupervisedNode = SupervisedProcess<NodeReady>;
export type SupervisedCoordinator = SupervisedProcess<CoordinatorReady>;
export type SupervisedGateway = SupervisedProcess<GatewayReady>;

/** Starts a node and restarts it when it ends unexpectedly. @throws Error as `SupervisedProcess.start` */
export function superviseNode(
  config: Partial<Config>,
  listeners?: ProcessListeners,
  signal?: AbortSignal,
): Promise<SupervisedNode> {
  const start = (options: StartOptions): Promise<RoleProcess<NodeReady>> => startNodeProcess(config, options);
  return SupervisedProcess.start(({ node }) => node, start, listeners, signal);
}

/** Starts a gateway and restarts it when it ends unexpectedly. @throws Error as `SupervisedProcess.start` */
export function superviseGateway(
  config: Partial<Config>,
  listeners?: ProcessListeners,
  signal?: AbortSignal,
): Promise<SupervisedGateway> {
  const start = (options: StartOptions): Promise<RoleProcess<GatewayReady>> =>
    startGatewayProcess(config, options);
  return SupervisedProcess.start(() => 'the gateway', start, listeners, signal);
}

/** Starts a coordinator and restarts it when it ends unexpectedly. @throws Error as `SupervisedProcess.start` */
export function superviseCoordinator(
  config: Partial<Config>,
  listeners?: ProcessListeners,
  signal?: AbortSignal,
): Promise<SupervisedCoordinator> {
  const start = (options: StartOptions): Promise<RoleProcess<CoordinatorReady>> =>
    startCoordinatorProcess(config, options);
  return SupervisedProcess.start(() => 'the coordinator', start, listeners, signal);
}

function logTo({ log }: ProcessListeners): (line: string) => void {
  return log ?? ((): void => undefined);
}

function reasonOf({ code, signal, reason }: ProcessExit): string {
  return `${signal ?? `exit code ${code}`}: ${reason}`;
}
