import { queryOrBlame, type FaultySide } from './blame.js';
import type { Backoff } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import { RegistryError } from '../../schemas/registry/client.js';

const BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000 };
/** Lifetime of negative answers, milliseconds: the schema may be registered meanwhile. */
const REFUSED_FOR_MS = 5_000;
/** HTTP statuses of a busy registry: request timeout, too many requests. */
const BUSY: ReadonlySet<number> = new Set([408, 429]);
/** Time for which server errors about one key are retried while the registry answers a probe, milliseconds. */
const SERVER_ERROR_PATIENCE_MS = 30_000;
/** Above the registry client's own limits, whose errors are more specific. */
const ATTEMPT_LIMIT_MS = 60_000;
/** Maximum of cached answers, and of negative ones: senders choose the keys. */
const MAX_REMEMBERED = 1_000;

export interface RegistryCacheOptions {
  /** Ends all requests. */
  readonly signal: AbortSignal;
  /** Sends a request that any healthy registry answers. @throws Error if it does not */
  readonly probe: () => Promise<unknown>;
  /** Called once per request when the registry is unavailable; retries continue. */
  readonly onAway: (error: Error) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly backoff?: Backoff;
}

/**
 * Caches answers of the registry; concurrent requests for one key are merged. Outages are waited out. Negative answers
 * have a cache of their own and do not evict valid ones; so has a key on which the registry keeps failing while it
 * answers a probe, because senders choose the keys.
 */
export class RegistryCache<Key, Answer extends object> {
  readonly #answers = new Map<Key, Answer>();
  readonly #refusals = new Map<Key, { readonly error: PartituraError; readonly until: number }>();
  readonly #underWay = new Map<Key, Promise<void>>();
  readonly #now: () => number;

  constructor(
    readonly ask: (key: Key) => Promise<Answer>,
    readonly options: RegistryCacheOptions,
  ) {
    this.#now = options.now ?? Date.now;
  }

  /** Returns true if `get` has an answer, or a negative one that is still valid. */
  isKnown(key: Key): boolean {
    return this.#answers.has(key) || this.#now() < (this.#refusals.get(key)?.until ?? 0);
  }

  /** Returns a promise until `get` can answer; undefined if it can already. After the signal it never settles. */
  lookUp(key: Key): Promise<void> | undefined {
    if (this.isKnown(key)) return undefined;
    let lookUp = this.#underWay.get(key);
    if (!lookUp) {
      lookUp = this.#askUntilAnswered(key).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, lookUp);
    }
    return lookUp;
  }

  /** Returns the cached answer. @throws PartituraError the negative answer, or INTERNAL if there is none */
  get(key: Key): Answer | PartituraError {
    const answer = this.#answers.get(key) ?? this.#refusals.get(key)?.error;
    if (answer) return answer;
    throw new PartituraError(
      'INTERNAL',
      `schema registry: expected an answer about ${String(key)}, got none`,
    );
  }

  async #askUntilAnswered(key: Key): Promise<void> {
    const { signal, backoff = BACKOFF, onAway, probe } = this.options;
    try {
      const answer = await queryOrBlame<Answer>({
        ask: () => this.ask(key),
        faultySideOf,
        graceMs: patienceMs,
        now: this.#now,
        probe,
        signal,
        onUnavailable: onAway,
        backoff,
        limitMs: ATTEMPT_LIMIT_MS,
      });
      if (answer instanceof Error) return this.#refuse(key, answer);
      remember(this.#answers, key, answer);
      this.#refusals.delete(key);
    } catch {
      // Closing: the callers are closing as well.
      return new Promise(() => undefined);
    }
  }

  #refuse(key: Key, cause: unknown): void {
    const error = PartituraError.from(cause, 'DECODE_FAILED');
    remember(this.#refusals, key, { error, until: this.#now() + REFUSED_FOR_MS });
  }
}

/**
 * Blames the service if it is busy, or if another server answers in its place: both are temporary. A refused login may
 * be temporary, or concern this key alone.
 */
function faultySideOf(error: Error): FaultySide {
  if (!(error instanceof RegistryError) || error.kind !== 'unavailable') return 'request';
  const { status = 0 } = error;
  return BUSY.has(status) || (status >= 200 && status < 300) ? 'service' : 'unclear';
}

/** Retries server and gateway errors for a while, even if other requests succeed; refused logins rarely recover. */
function patienceMs(error: Error): number {
  const isServers = error instanceof RegistryError && (error.status ?? 0) >= 500;
  return isServers ? SERVER_ERROR_PATIENCE_MS : 0;
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= MAX_REMEMBERED) map.delete(oldest);
  map.set(key, value);
}
