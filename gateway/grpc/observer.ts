import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Problem } from '../inference/problem.js';
import type { GatewayMetrics } from '../metrics.js';
import { callProblem, statusName } from './failures.js';

/** Parts that handlers of calls use, whatever the service. */
export interface CallParts {
  readonly config: Config;
  readonly authenticator: Authenticator;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** Aborts when the gateway stops. */
  readonly draining: AbortSignal;
}

/** Counts and logs the answers of one service. */
export class CallObserver {
  constructor(
    readonly dialect: string,
    readonly parts: Pick<CallParts, 'metrics' | 'log'>,
  ) {}

  /** @param startedAt time of `performance.now()` */
  succeeded(startedAt: number): void {
    this.#answered('OK', startedAt);
  }

  failed(error: unknown, deadline: Date | number, startedAt: number): Problem {
    const problem = callProblem(error, deadline);
    if (problem.http === 500)
      this.parts.log.error({ err: error, dialect: this.dialect }, 'call failed; answered with an error');
    this.#answered(statusName(problem.grpc), startedAt);
    return problem;
  }

  #answered(status: string, startedAt: number): void {
    this.parts.metrics.answered(this.dialect, status, performance.now() - startedAt);
  }
}
