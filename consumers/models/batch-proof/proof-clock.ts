import type { ModelSource } from '../../engine/engine.js';

export interface ProofLimits {
  /** The model's files: its graph may reveal what runs cannot. */
  readonly source?: Pick<ModelSource, 'directory' | 'format'>;
  /** Maximum rows of a batch; one more is also tried if there is time. */
  readonly maxBatchRows: number;
  /** Time budget of all runs beyond the essential ones, milliseconds. */
  readonly budgetMs?: number;
  /** Time limit of the essential runs, milliseconds; a slower model is not batched. */
  readonly essentialMs?: number;
  /** Factor applied to both times. Default 1. */
  readonly patience?: number;
  readonly now?: () => number;
}

const BUDGET_MS = 1_000;
const ESSENTIAL_MS = 3_000;
export interface ProofClock {
  readonly now: () => number;
  readonly essentialMs: number;
  readonly essentialEnd: number;
  readonly budgetEnd: number;
}

export function startClock({
  budgetMs = BUDGET_MS,
  essentialMs = ESSENTIAL_MS,
  patience = 1,
  now = monotonic,
}: ProofLimits): ProofClock {
  const startedAt = now();
  return {
    now,
    essentialMs: patience * essentialMs,
    essentialEnd: startedAt + patience * essentialMs,
    budgetEnd: startedAt + patience * budgetMs,
  };
}

const monotonic = (): number => performance.now();
