import type { KafkaRecord } from '../../../kafka/port.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Tensor, Timing } from '../../../schemas/generated.js';
import type { Admitted } from '../admission.js';
import { CancelledError, type Answer } from '../../batching/batch.js';
import { errorReply, refuseIfLate, type Outcome } from './outcome.js';

/** Converts the model's answer to a reply, or to an error reply if its deadline has passed. */
export function answerOutcome(
  record: KafkaRecord,
  { request, caller, version }: Admitted,
  answer: Answer,
  { node, now }: { node: string; now: number },
): Outcome {
  const reply = {
    id: request.id,
    model: request.model,
    modelVersion: version.version,
    outputs: wanted(answer, request.outputs),
    error: null,
    node,
    timing: timing(answer),
  };
  return refuseIfLate({ kind: 'reply', record, caller, reply, deadline: request.deadline }, now, node);
}

/**
 * Returns the outcome of a request that was not computed: an error reply, also a dead letter after a crash, and no reply
 * if it was cancelled.
 */
export function failureOutcome(
  record: KafkaRecord,
  { request, caller }: Admitted,
  cause: unknown,
  node: string,
): Outcome {
  if (cause instanceof CancelledError) return { kind: 'cancelled', record };
  const error = PartituraError.from(cause, 'MODEL_FAILED');
  const reply = errorReply(request, error, node);
  if (error.code !== 'MODEL_CRASHED') return { kind: 'reply', record, caller, reply, deadline: null };
  const asked = caller.address.topic !== undefined;
  return { kind: 'dead-letter', record, stage: 'model', error, ...(asked && { notice: { caller, reply } }) };
}

function wanted({ outputs }: Answer, names: readonly string[]): Tensor[] {
  const chosen = names.length === 0 ? outputs : outputs.filter(({ name }) => names.includes(name));
  // Read-only from here on; copying every tensor's shape would serve the compiler alone.
  return chosen as Tensor[];
}

function timing({ queueMs, computeMicros, batchRows }: Answer): Timing {
  return {
    queueMicros: Math.round(queueMs * 1_000),
    computeMicros: Math.round(computeMicros),
    batchSize: batchRows,
  };
}
