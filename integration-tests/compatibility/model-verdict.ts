export type Verdict =
  'served' | 'wrong' | 'refused-at-load' | 'refused-at-request' | 'unanswered' | 'no-reference';

/** Verdict on a model. */
export interface ModelVerdict {
  readonly model: string;
  readonly verdict: Verdict;
  /** Null for a served model. */
  readonly reason: string | null;
}
