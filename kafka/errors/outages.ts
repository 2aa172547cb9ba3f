import type { Logger } from '../../core/log.js';
import { oneLine } from '../../core/printable.js';
import { hintForClosed } from './login-problem.js';

/** Shorter failures, such as a moving leader, are not an outage. */
const GRACE_MS = 3_000;

/** A period during which some operation of a client keeps failing. */
export interface Outage {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
}

/** One operation of a client whose failures are tracked: fetching a topic, group membership, sending. */
export interface OutageLink {
  /** @param key separates parts of this link that can fail independently, such as partitions */
  failed(error: Error, key?: string | number): void;
  worked(key?: string | number): void;
  /** Notes the reason of a failed attempt that will be retried. */
  note(error: Error): void;
  /** Removes the link; its failures no longer count. */
  close(): void;
}

/** For callers that do not report outages. */
export const NO_OUTAGES: OutageLink = {
  failed: () => undefined,
  worked: () => undefined,
  note: () => undefined,
  close: () => undefined,
};

/**
 * Merges the failures of all of a client's operations into one message per outage and one at its end. An outage lasts
 * from the first failure until nothing fails.
 */
export class Outages {
  /** Current failures and when they started, by link and key. */
  readonly #failing = new Map<string, Outage>();
  #links = 0;
  #timer: NodeJS.Timeout | undefined;
  #current: Outage | undefined;
  #noted: Outage | undefined;

  constructor(
    readonly log: Pick<Logger, 'warn' | 'info'>,
    readonly brokers: readonly string[],
    readonly graceMs = GRACE_MS,
    readonly now: () => number = Date.now,
  ) {}

  /** Returns the announced outage that is not over; undefined while everything works. */
  get current(): Outage | undefined {
    return this.#current;
  }

  link(): OutageLink {
    const name = `${this.#links++} `;
    return {
      failed: (error, key = '') => this.#fail(`${name}${key}`, error),
      worked: (key = '') => this.#pass(`${name}${key}`),
      note: (error) => this.note(error.message),
      close: () => this.#drop(name),
    };
  }

  /** Notes why an attempt failed that its client retries; more specific than a missing answer. */
  note(reason: string): void {
    this.#noted = { since: this.now(), reason: oneLine(`${reason}${hintForClosed(reason)}`) };
  }

  #fail(key: string, { message }: Error): void {
    if (this.#failing.has(key)) return;
    this.#failing.set(key, { since: this.now(), reason: oneLine(message) });
    this.#timer ??= setTimeout(() => this.#announce(), this.graceMs).unref();
  }

  #pass(key: string): void {
    // Called for every fetch and every send; usually there is nothing to do.
    if (this.#failing.size === 0 || !this.#failing.delete(key) || this.#failing.size > 0) return;
    const announced = this.#end();
    if (announced) this.#announceEnd(announced);
  }

  /** Forgets a closed link: it cannot recover. */
  #drop(name: string): void {
    for (const key of [...this.#failing.keys()]) if (key.startsWith(name)) this.#failing.delete(key);
    if (this.#failing.size === 0) this.#end();
  }

  #end(): Outage | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const announced = this.#current;
    this.#current = undefined;
    return announced;
  }

  #announce(): void {
    const [first] = this.#failing.values();
    if (!first) return;
    const noted = this.#noted && this.#noted.since >= first.since ? this.#noted.reason : first.reason;
    const outage = (this.#current = { since: first.since, reason: noted });
    const waitingMs = this.now() - outage.since;
    this.log.warn(
      { brokers: this.brokers, waitingMs, reason: outage.reason },
      `Kafka has been unavailable for ${seconds(waitingMs)}; retrying until it is back`,
    );
  }

  #announceEnd({ since }: Outage): void {
    const outageMs = this.now() - since;
    this.log.info(
      { brokers: this.brokers, outageMs },
      `Kafka is available again after ${seconds(outageMs)}; resuming`,
    );
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
