/** Holds back fetching and delivery while a handler has no capacity, and wakes what waits for a change. */
export class FetchGate {
  /** Number of pending holds: nothing is delivered or fetched while there are any. */
  #holds = 0;
  #resolveChanged: () => void = () => undefined;
  #changed = new Promise<void>((resolve) => (this.#resolveChanged = resolve));

  /** @param closing opens the gate for good */
  constructor(
    readonly closing: AbortSignal,
    readonly onError: (error: unknown) => void,
  ) {}

  get isHeld(): boolean {
    return this.#holds > 0 && !this.closing.aborted;
  }

  /** Resolves with the next change. */
  get changed(): Promise<void> {
    return this.#changed;
  }

  wake(): void {
    this.#resolveChanged();
    this.#changed = new Promise((resolve) => (this.#resolveChanged = resolve));
  }

  /** Holds until the promise settles; a rejection is reported. */
  holdUntil(until: Promise<unknown>): void {
    this.#holds++;
    until
      .catch(this.onError)
      .finally(() => {
        this.#holds--;
        this.wake();
      })
      .catch(() => undefined);
  }

  /** Resolves once there is no hold, or the fetcher is closed. */
  async released(): Promise<void> {
    while (this.isHeld) await this.#changed;
  }
}
