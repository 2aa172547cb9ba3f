/** Time for which an expected wait is used again, milliseconds: nodes report far less often. */
const VALID_MS = 20;

interface Estimate {
  readonly waitMs: number;
  readonly until: number;
}

/** Expected waits by model. Each is computed now and then and not for every request, since it reads the reports of all nodes. */
export class ExpectedWaits {
  readonly #estimates = new Map<string, Estimate>();

  /** @param compute returns the expected wait of a model that exists, milliseconds */
  constructor(
    readonly compute: (model: string) => number,
    readonly now: () => number = Date.now,
  ) {}

  of(model: string): number {
    const now = this.now();
    let estimate = this.#estimates.get(model);
    if (!estimate || now >= estimate.until) {
      estimate = { waitMs: this.compute(model), until: now + VALID_MS };
      this.#estimates.set(model, estimate);
    }
    return estimate.waitMs;
  }
}
