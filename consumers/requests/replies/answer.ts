import type { KafkaRecord } from '../../../kafka/port.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Tensor, Timing } from '../../../schemas/generated.js';
import type { Admitted } from '../admission.js';
import type { Answer } from '../../batching/batch.js';
import { errorReply, unlessLate, type Outcome } from './outcome.js';

/** Makes the model's answer a reply; one that comes too late becomes an error reply. */
export function answerOutcome(
  record: KafkaRecord,
  admitted: Admitted,
  answer: Answer,
  node: string,
  now: number,
): Outcome {
  const { request, caller, version } = admitted;
  const reply = {
    id: request.id,
    model: request.model,
    modelVersion: version.version,
    outputs: wanted(answer, request.outputs),
    error: null,
    node,
    timing: timing(answer),
  };
  return unlessLate({ kind: 'reply', record, caller, reply, deadline: request.deadline }, now, node);
}

/** Decides how a request ends that was admitted and not answered: by an error reply, and a dead letter after a crash. */
export function failureOutcome(
  record: KafkaRecord,
  { request, caller }: Admitted,
  cause: unknown,
  node: string,
): Outcome {
  const error = PartituraError.from(cause, 'MODEL_FAILED');
  const reply = errorReply(request, error, node);
  if (error.code !== 'MODEL_CRASHED') return { kind: 'reply', record, caller, reply, deadline: null };
  const asked = caller.address.topic !== undefined;
  return { kind: 'dead-letter', record, stage: 'model', error, ...(asked && { notice: { caller, reply } }) };
}

function wanted({ outputs }: Answer, names: readonly string[]): Tensor[] {
  const chosen = names.length === 0 ? outputs : outputs.filter(({ name }) => names.includes(name));
  // Only read from here on: a copy of every tensor's shape would be for the compiler alone.
  return chosen as Tensor[];
}

function timing({ queueMs, computeMicros, batchRows }: Answer): Timing {
  return {
    queueMicros: Math.round(queueMs * 1_000),
    computeMicros: Math.round(computeMicros),
    batchSize: batchRows,
  };
}
