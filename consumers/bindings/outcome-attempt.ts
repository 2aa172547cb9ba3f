import type { KafkaError, OutgoingRecord } from '../../kafka/port.js';
import type { Attempt } from '../../kafka/sending/attempt.js';
import { PartituraError } from '../../schemas/errors.js';
import { deadLetters, type DeadLetterTarget, type Rejected } from '../records/dead-letter.js';
import type { BoundOutcome } from './bound-records.js';

/** A record to try for an outcome, with its error if it is a dead letter. */
export interface OutcomeAttempt extends Attempt<OutcomeAttempt> {
  readonly error: PartituraError | undefined;
}

/** Returns true if the broker refused the record itself, so that another one may be accepted. */
export function isRefusal({ kind }: KafkaError): boolean {
  return kind === 'too-large' || kind === 'refused';
}

/** Returns the first attempt of an outcome: a refused result becomes a dead letter that names the reason. */
export function attemptOf(outcome: BoundOutcome, target: DeadLetterTarget): OutcomeAttempt {
  if (outcome.kind === 'dead-letter') return deadLetterAttempt(outcome, target);
  const { record, result } = outcome;
  return {
    record: result,
    error: undefined,
    next: (failure) =>
      isRefusal(failure)
        ? deadLetterAttempt({ record, stage: 'reply', error: refusedResult(result, failure) }, target)
        : undefined,
  };
}

function refusedResult({ topic, value }: OutgoingRecord, { kind, message }: KafkaError): PartituraError {
  if (kind !== 'too-large')
    return new PartituraError('INTERNAL', `result: topic '${topic}' does not take it: ${message}`);
  return new PartituraError(
    'REPLY_TOO_LARGE',
    `result: expected what topic '${topic}' takes, got ${value?.length ?? 0} bytes`,
  );
}

function deadLetterAttempt(rejected: Rejected, target: DeadLetterTarget): OutcomeAttempt {
  return attemptsIn(deadLetters(rejected, target), rejected.error);
}

function attemptsIn(
  [record, ...smaller]: readonly [OutgoingRecord, ...OutgoingRecord[]],
  error: PartituraError,
): OutcomeAttempt {
  const [second, ...rest] = smaller;
  return {
    record,
    error,
    next: (failure) => (isRefusal(failure) && second ? attemptsIn([second, ...rest], error) : undefined),
  };
}
