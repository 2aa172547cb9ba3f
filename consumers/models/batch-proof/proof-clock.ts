import type { ModelSource } from '../../engine/engine.js';

export interface ProofLimits {
  /** The model's files: its graph can show what no run does. */
  readonly source?: Pick<ModelSource, 'directory' | 'format'>;
  /** Rows of the largest batch; one more is tried as well if there is time. */
  readonly maxBatchRows: number;
  /** Time for everything beyond the essential runs, milliseconds. */
  readonly budgetMs?: number;
  /** Time for the essential runs, milliseconds; a model that takes longer is not batched. */
  readonly essentialMs?: number;
  /** Factor on both times. Default 1. */
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
  const begun = now();
  return {
    now,
    essentialMs: patience * essentialMs,
    essentialEnd: begun + patience * essentialMs,
    budgetEnd: begun + patience * budgetMs,
  };
}

const monotonic = (): number => performance.now();
