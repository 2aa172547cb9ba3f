import type { ModelCounts } from '../../schemas/generated.js';

/** An answer as far as it is counted. */
export interface CountedAnswer {
  readonly queueMs: number;
  readonly computeMicros: number;
}

/** Cumulative counts of one signature since it was loaded. */
export class ModelCounter {
  #requests = 0;
  #rows = 0;
  #batches = 0;
  #failed = 0;
  #queueMicros = 0;
  #computeMicros = 0;
  #failedMicros = 0;
  #lastAt = 0;
  #earlier: ModelCounter | undefined;

  /** @param now milliseconds since the epoch */
  constructor(readonly now: () => number) {}

  /** Includes the counts of the version that this one replaces, which may still finish some requests. */
  continueFrom(earlier: ModelCounter): void {
    this.#earlier = earlier;
  }

  /** Counts a batch that was computed. */
  computed(): void {
    this.#batches++;
    this.#lastAt = this.now();
  }

  answered(rows: number, { queueMs, computeMicros }: CountedAnswer): void {
    this.#requests++;
    this.#rows += rows;
    this.#queueMicros += queueMs * 1_000;
    this.#computeMicros += computeMicros;
  }

  failed(elapsedMs: number): void {
    this.#failed++;
    this.#failedMicros += elapsedMs * 1_000;
  }

  get counts(): ModelCounts {
    const own = {
      requests: this.#requests,
      rows: this.#rows,
      batches: this.#batches,
      failed: this.#failed,
      queueMicros: Math.round(this.#queueMicros),
      computeMicros: Math.round(this.#computeMicros),
      failedMicros: Math.round(this.#failedMicros),
      lastAt: this.#lastAt,
    };
    return this.#earlier ? sumOfCounts([own, this.#earlier.counts]) : own;
  }
}

/** Adds the counts of the signatures of a version. */
export function sumOfCounts(all: readonly ModelCounts[]): ModelCounts {
  const sum = (read: (counts: ModelCounts) => number): number =>
    all.reduce((total, counts) => total + read(counts), 0);
  return {
    requests: sum(({ requests }) => requests),
    rows: sum(({ rows }) => rows),
    batches: sum(({ batches }) => batches),
    failed: sum(({ failed }) => failed),
    queueMicros: sum(({ queueMicros }) => queueMicros),
    computeMicros: sum(({ computeMicros }) => computeMicros),
    failedMicros: sum(({ failedMicros }) => failedMicros),
    lastAt: Math.max(0, ...all.map(({ lastAt }) => lastAt)),
  };
}
