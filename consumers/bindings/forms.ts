import type { DeadLetterStyle } from '../../core/headers.js';
import type { OutgoingRecord } from '../../core/kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { deadLetters } from '../replies/dead-letter.js';
import type { BoundOutcome } from './bound-records.js';

/** A form of an outcome, and the error that it tells of when it is a dead letter. */
export interface Form {
  readonly record: OutgoingRecord;
  readonly error: PartituraError | undefined;
}

/** Where the dead letters of a binding go, and with whose headers. */
export interface LetterBox {
  readonly deadLetterTopic: string;
  readonly deadLetterHeaders: DeadLetterStyle;
}

/** The forms in which an outcome is tried, one after the other while the broker finds them too large. */
export function formsOf(outcome: BoundOutcome, box: LetterBox): Form[] {
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

function letters(
  { record, stage, error }: Omit<Extract<BoundOutcome, { kind: 'dead-letter' }>, 'kind'>,
  { deadLetterTopic, deadLetterHeaders }: LetterBox,
): Form[] {
  const forms = deadLetters(record, deadLetterTopic, stage, error, deadLetterHeaders);
  return forms.map((letter) => ({ record: letter, error }));
}
