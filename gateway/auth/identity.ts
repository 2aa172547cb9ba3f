import { wildcard } from '../../schemas/headers/wildcard.js';
import { unknownModel } from '../models/caller-models.js';
import { FrontError, GRPC_STATUS, Overloaded } from '../inference/problem.js';
import { TokenBucket } from './token-bucket.js';

/** Rights of the owner of a credential. */
export interface Grants {
  readonly name: string;
  /** Patterns of model names (`*` matches anything). */
  readonly models: readonly string[];
  /** True if directives to the cluster may be given. */
  readonly control: boolean;
  /** Requests per second; undefined for no limit. */
  readonly requestsPerSecond?: number | undefined;
}

/** The caller of a request: who it is, and what it may do. */
export class Identity {
  readonly name: string;
  readonly #models: readonly RegExp[];
  readonly #bucket: TokenBucket | undefined;

  constructor(
    readonly grants: Grants,
    now: () => number = Date.now,
  ) {
    this.name = grants.name;
    this.#models = grants.models.map(wildcard);
    const { requestsPerSecond } = grants;
    this.#bucket = requestsPerSecond === undefined ? undefined : new TokenBucket(requestsPerSecond, now);
  }

  /** True if the caller may use all models. */
  get seesAll(): boolean {
    return this.grants.models.includes('*');
  }

  mayUse(model: string): boolean {
    return this.#models.some((pattern) => pattern.test(model));
  }

  /**
   * Checks that the caller may use a model now.
   * @throws PartituraError MODEL_NOT_FOUND for a model of others, Overloaded if the quota is used up
   */
  requireModel(model: string): void {
    if (!this.mayUse(model)) throw unknownModel(model);
    const waitMs = this.#bucket?.take() ?? 0;
    if (waitMs === 0) return;
    throw new Overloaded(
      `'${this.name}': expected at most ${this.grants.requestsPerSecond} requests per second, got more`,
      Math.max(1, Math.ceil(waitMs / 1_000)),
    );
  }

  /** @throws FrontError 403 if the caller may not control the cluster */
  requireControl(): void {
    if (!this.grants.control) throw forbidden(`'${this.name}' may not control the cluster`);
  }
}

/** The caller where no authentication is configured. */
export const ANYBODY = new Identity({ name: 'anybody', models: ['*'], control: true });

function forbidden(message: string): FrontError {
  return new FrontError({ http: 403, grpc: GRPC_STATUS.PERMISSION_DENIED }, 'PERMISSION_DENIED', message);
}

/** Refuses a missing or unknown credential. */
export function unauthenticated(message: string): FrontError {
  return new FrontError({ http: 401, grpc: GRPC_STATUS.UNAUTHENTICATED }, 'UNAUTHENTICATED', message);
}
