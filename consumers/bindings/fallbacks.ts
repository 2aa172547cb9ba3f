import type { DeadLetterStyle } from '../../schemas/headers/headers.js';
import type { KafkaError, OutgoingRecord } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { deadLetters } from '../records/dead-letter.js';
import type { BoundOutcome } from './bound-records.js';

/** Whether the broker won't have a record, so that another form of it may do. */
export function isRefusal({ kind }: KafkaError): boolean {
  return kind === 'too-large' || kind === 'refused';
}

/** A form of an outcome, and the error that it tells of when it is a dead letter. */
export interface Fallback {
  readonly record: OutgoingRecord;
  readonly error: PartituraError | undefined;
}

/** Where the dead letters of a binding go, and with whose headers. */
export interface DeadLetterTarget {
  readonly deadLetterTopic: string;
  readonly deadLetterHeaders: DeadLetterStyle;
}

/** The forms in which an outcome is tried, one after the other while the broker refuses them. */
export function fallbacksOf(outcome: BoundOutcome, box: DeadLetterTarget): Fallback[] {
  const { record } = outcome;
  if (outcome.kind === 'dead-letter') return letters(outcome, box);
  const bytes = outcome.result.value?.length ?? 0;
  const error = new PartituraError(
    'REPLY_TOO_LARGE',
    `result: expected what topic '${outcome.result.topic}' takes, got ${bytes} bytes`,
  );
  const refused = { record, stage: 'reply' as const, error };
  return [{ record: outcome.result, error: undefined }, ...letters(refused, box)];
}

/** The forms that are left after the broker refused the first of these, which say why. */
export function fallbacksAfter(
  outcome: BoundOutcome,
  [, ...left]: readonly Fallback[],
  failure: KafkaError,
  box: DeadLetterTarget,
): readonly Fallback[] {
  if (failure.kind === 'too-large' || outcome.kind === 'dead-letter') return left;
  const error = new PartituraError(
    'INTERNAL',
    `result: topic '${outcome.result.topic}' does not take it: ${failure.message}`,
  );
  return letters({ record: outcome.record, stage: 'reply', error }, box);
}

function letters(
  { record, stage, error }: Omit<Extract<BoundOutcome, { kind: 'dead-letter' }>, 'kind'>,
  { deadLetterTopic, deadLetterHeaders }: DeadLetterTarget,
): Fallback[] {
  const forms = deadLetters(record, deadLetterTopic, stage, error, deadLetterHeaders);
  return forms.map((letter) => ({ record: letter, error }));
}
