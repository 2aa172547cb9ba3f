import { backoffMs, sleep, type Backoff } from '../core/retry.js';
import { PartituraError } from '../schemas/errors.js';
import { RegistryError } from '../schemas/registry/client.js';

const BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000 };
/** What the registry refuses it may take a moment later: a schema may be registered meanwhile. */
const REFUSED_FOR_MS = 5_000;
/** The most answers, and refusals, that are remembered: senders choose what is asked. */
const MAX_REMEMBERED = 1_000;

export interface LookUpOptions {
  /** Ends all look-ups. */
  readonly signal: AbortSignal;
  /** The registry is away; the look-up goes on. Called once for each. */
  readonly onAway: (error: RegistryError) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly backoff?: Backoff;
}

/**
 * Asks the registry once, however many want to know, and remembers what it said. While it is away it is asked again and
 * again; a refusal is an answer, and does not push out what is known.
 */
export class LookUps<Key, Answer extends object> {
  readonly #answers = new Map<Key, Answer>();
  readonly #refusals = new Map<Key, { readonly error: PartituraError; readonly until: number }>();
  readonly #underWay = new Map<Key, Promise<void>>();
  readonly #now: () => number;

  constructor(
    readonly ask: (key: Key) => Promise<Answer>,
    readonly options: LookUpOptions,
  ) {
    this.#now = options.now ?? Date.now;
  }

  /** Undefined when `get` can answer at once; else a promise after which it can. After the signal it is never settled. */
  lookUp(key: Key): Promise<void> | undefined {
    if (this.#answers.has(key) || this.#now() < (this.#refusals.get(key)?.until ?? 0)) return undefined;
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
    const { signal, backoff = BACKOFF, onAway } = this.options;
    for (let attempt = 1; ; attempt++) {
      if (signal.aborted) return new Promise(() => undefined);
      try {
        remember(this.#answers, key, await this.ask(key));
        this.#refusals.delete(key);
        return;
      } catch (cause) {
        if (!isAway(cause)) return this.#refuse(key, cause);
        if (attempt === 1 && !signal.aborted) onAway(cause);
        await sleep(backoffMs(backoff, attempt), signal);
      }
    }
  }

  #refuse(key: Key, cause: unknown): void {
    const error = PartituraError.from(cause, 'DECODE_FAILED');
    remember(this.#refusals, key, { error, until: this.#now() + REFUSED_FOR_MS });
  }
}

function isAway(cause: unknown): cause is RegistryError {
  return cause instanceof RegistryError && cause.kind === 'unavailable';
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= MAX_REMEMBERED) map.delete(oldest);
  map.set(key, value);
}
