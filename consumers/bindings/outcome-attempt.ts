import type { KafkaError, OutgoingRecord } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { deadLetters, type DeadLetterTarget, type Rejected } from '../records/dead-letter.js';
import type { BoundOutcome } from './bound-records.js';

/** Returns true if the broker refused the record itself, so that a smaller one may be accepted. */
export function isRefusal({ kind }: KafkaError): boolean {
  return kind === 'too-large' || kind === 'refused';
}

/** A record to try for an outcome, with its error if it is a dead letter. */
export interface Fallback {
  readonly record: OutgoingRecord;
  readonly error: PartituraError | undefined;
}

/** Returns the records to try for an outcome, in order, until the broker accepts one. */
export function fallbacksOf(outcome: BoundOutcome, target: DeadLetterTarget): Fallback[] {
  const { record } = outcome;
  if (outcome.kind === 'dead-letter') return letters(outcome, target);
  const bytes = outcome.result.value?.length ?? 0;
  const error = new PartituraError(
    'REPLY_TOO_LARGE',
    `result: expected what topic '${outcome.result.topic}' takes, got ${bytes} bytes`,
  );
  const refused = { record, stage: 'reply' as const, error };
  return [{ record: outcome.result, error: undefined }, ...letters(refused, target)];
}

/** Returns the records that remain after the broker refused the first; they name the reason. */
export function fallbacksAfter(
  outcome: BoundOutcome,
  [, ...left]: readonly Fallback[],
  failure: KafkaError,
  target: DeadLetterTarget,
): readonly Fallback[] {
  if (failure.kind === 'too-large' || outcome.kind === 'dead-letter') return left;
  const error = new PartituraError(
    'INTERNAL',
    `result: topic '${outcome.result.topic}' does not take it: ${failure.message}`,
  );
  return letters({ record: outcome.record, stage: 'reply', error }, target);
}

function letters(rejected: Rejected, target: DeadLetterTarget): Fallback[] {
  return deadLetters(rejected, target).map((record) => ({ record, error: rejected.error }));
}
