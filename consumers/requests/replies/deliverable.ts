import type { Destinations } from './destinations.js';
import { callerOf, type Caller, type Outcome } from './outcome.js';

/**
 * Returns the outcome, or a dead letter if its reply topic cannot be used; a promise while the topic is looked up.
 * @throws KafkaError if the look-up fails for good
 */
export function deliverable(
  outcome: Outcome,
  destinations: Pick<Destinations, 'lookUp' | 'check'>,
): Outcome | Promise<Outcome> {
  const caller = callerOf(outcome);
  if (caller?.address.topic === undefined) return outcome;
  const lookUp = destinations.lookUp(caller.address.topic, caller.address.partition);
  if (!lookUp) return addressable(outcome, caller, destinations);
  return lookUp.then(() => addressable(outcome, caller, destinations));
}

function addressable(
  outcome: Outcome,
  { address }: Caller,
  destinations: Pick<Destinations, 'check'>,
): Outcome {
  const problem =
    address.topic === undefined ? undefined : destinations.check(address.topic, address.partition);
  if (!problem) return outcome;
  const { record } = outcome;
  return outcome.kind === 'dead-letter'
    ? { kind: 'dead-letter', record, stage: outcome.stage, error: outcome.error }
    : { kind: 'dead-letter', record, stage: 'reply', error: problem };
}
