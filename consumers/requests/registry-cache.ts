import { answerOrBlame, type Culprit } from './blame.js';
import type { Backoff } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import { RegistryError } from '../../schemas/registry/client.js';

const BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000 };
/** What the registry refuses it may take a moment later: a schema may be registered meanwhile. */
const REFUSED_FOR_MS = 5_000;
/** Request timeout and too many requests. */
const BUSY: ReadonlySet<number> = new Set([408, 429]);
/** How long errors of the registry's server about one key are waited out while it answers a probe. */
const SERVER_ERROR_PATIENCE_MS = 30_000;
/** Beyond the registry client's own limits, which say better what was wrong. */
const ATTEMPT_LIMIT_MS = 60_000;
/** The most answers, and refusals, that are remembered: senders choose what is asked. */
const MAX_REMEMBERED = 1_000;

export interface RegistryCacheOptions {
  /** Ends all look-ups. */
  readonly signal: AbortSignal;
  /** Asks the registry for something that any healthy one answers. @throws Error when it does not */
  readonly probe: () => Promise<unknown>;
  /** The registry is away; the look-up goes on. Called once for each. */
  readonly onAway: (error: Error) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly backoff?: Backoff;
}

/**
 * Asks the registry once, however many want to know, and remembers the answer. An outage is waited out. A refusal is an
 * answer and does not evict what is known; so is a key that the registry keeps failing on while it answers a probe, since
 * senders choose the keys.
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

  /** Whether `get` has an answer, or a refusal that still holds. */
  isKnown(key: Key): boolean {
    return this.#answers.has(key) || this.#now() < (this.#refusals.get(key)?.until ?? 0);
  }

  /** Undefined when `get` can answer at once; else a promise after which it can. After the signal it is never settled. */
  lookUp(key: Key): Promise<void> | undefined {
    if (this.isKnown(key)) return undefined;
    let lookUp = this.#underWay.get(key);
    if (!lookUp) {
      lookUp = this.#askUntilAnswered(key).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, lookUp);
    }
    return lookUp;
  }

  /** What the registry said. @throws PartituraError INTERNAL when it was not asked */
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
      const answer = await answerOrBlame<Answer>({
        ask: () => this.ask(key),
        culpritOf,
        patienceMs,
        now: this.#now,
        probe,
        signal,
        onAway,
        backoff,
        limitMs: ATTEMPT_LIMIT_MS,
      });
      if (answer instanceof Error) return this.#refuse(key, answer);
      remember(this.#answers, key, answer);
      this.#refusals.delete(key);
    } catch {
      // Closing: whoever waits is closing as well.
      return new Promise(() => undefined);
    }
  }

  #refuse(key: Key, cause: unknown): void {
    const error = PartituraError.from(cause, 'DECODE_FAILED');
    remember(this.#refusals, key, { error, until: this.#now() + REFUSED_FOR_MS });
  }
}

/**
 * Blames a registry that is busy, and whatever answers in its place with success: both will answer later. One that lets nobody
 * in may still do so, or may refuse this key alone.
 */
function culpritOf(error: Error): Culprit {
  if (!(error instanceof RegistryError) || error.kind !== 'unavailable') return 'question';
  const { status = 0 } = error;
  return BUSY.has(status) || (status >= 200 && status < 300) ? 'service' : 'unclear';
}

/** Errors of servers and gateways pass, even while others of their requests succeed; refusals of who we are hardly do. */
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
