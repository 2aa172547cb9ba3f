export type Verdict =
  'served' | 'wrong' | 'refused-at-load' | 'refused-at-request' | 'unanswered' | 'no-reference';

/** What became of a model. */
export interface Judged {
  readonly model: string;
  readonly verdict: Verdict;
  /** Null for a model that is served. */
  readonly reason: string | null;
}
