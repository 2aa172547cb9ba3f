import type { OutgoingRecord } from '../../core/kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { deadLetters } from '../replies/dead-letter.js';
import type { BoundOutcome } from './bound-records.js';

/** A form of an outcome, and the error that it tells of when it is a dead letter. */
export interface Form {
  readonly record: OutgoingRecord;
  readonly error: PartituraError | undefined;
}

/** The forms in which an outcome is tried, one after the other while the broker finds them too large. */
export function formsOf(outcome: BoundOutcome, deadLetterTopic: string): Form[] {
  const { record } = outcome;
  if (outcome.kind === 'dead-letter') return letters(outcome, deadLetterTopic);
  const bytes = outcome.result.value?.length ?? 0;
  const error = new PartituraError(
    'REPLY_TOO_LARGE',
    `result: expected what topic '${outcome.result.topic}' takes, got ${bytes} bytes`,
  );
  const refused = { record, stage: 'reply' as const, error };
  return [{ record: outcome.result, error: undefined }, ...letters(refused, deadLetterTopic)];
}

function letters(
  { record, stage, error }: Omit<Extract<BoundOutcome, { kind: 'dead-letter' }>, 'kind'>,
  topic: string,
): Form[] {
  return deadLetters(record, topic, stage, error).map((letter) => ({ record: letter, error }));
}
