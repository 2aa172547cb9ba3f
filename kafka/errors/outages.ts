import type { Logger } from '../../core/log.js';
import { oneLine } from '../../core/printable.js';
import { hintForClosed } from './login-problem.js';

/** Failures that pass sooner, like a leader that moves, are no outage. */
const GRACE_MS = 3_000;

/** A time in which something that a client does keeps failing. */
export interface Outage {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
}

/** One of the things that a client does, as far as outages go: fetching a topic, staying in a group, sending. */
export interface OutageLink {
  /** @param key tells parts of this link apart that may fail by themselves, such as partitions */
  failed(error: Error, key?: string | number): void;
  worked(key?: string | number): void;
  /** Why a try failed of what is tried again and may still work. */
  note(error: Error): void;
  /** The link is no longer used: nothing of it fails any more. */
  close(): void;
}

/** For whoever tells nobody of outages. */
export const NO_OUTAGES: OutageLink = {
  failed: () => undefined,
  worked: () => undefined,
  note: () => undefined,
  close: () => undefined,
};

/**
 * Turns failures of everything that a client does into one message for each outage and one for its end. An outage lasts
 * from the first failure until nothing fails.
 */
export class Outages {
  /** When what fails now began to, by link and key. */
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

  /** The outage that was announced and is not over; undefined while everything works. */
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

  /** Why something failed that its client tries again: says more than that nobody answered. */
  note(reason: string): void {
    this.#noted = { since: this.now(), reason: oneLine(`${reason}${hintForClosed(reason)}`) };
  }

  #fail(key: string, { message }: Error): void {
    if (this.#failing.has(key)) return;
    this.#failing.set(key, { since: this.now(), reason: oneLine(message) });
    this.#timer ??= setTimeout(() => this.#announce(), this.graceMs).unref();
  }

  #pass(key: string): void {
    // Called for every fetch and every send: most of the time there is nothing to do.
    if (this.#failing.size === 0 || !this.#failing.delete(key) || this.#failing.size > 0) return;
    const announced = this.#end();
    if (announced) this.#announceEnd(announced);
  }

  /** Forgets a link that is given up: it cannot recover. */
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
      `Kafka has been unavailable for ${seconds(waitingMs)}; waiting until it is back`,
    );
  }

  #announceEnd({ since }: Outage): void {
    const outageMs = this.now() - since;
    this.log.info(
      { brokers: this.brokers, outageMs },
      `Kafka is available again after ${seconds(outageMs)}; work goes on`,
    );
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
