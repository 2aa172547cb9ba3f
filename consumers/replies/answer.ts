import type { KafkaRecord } from '../../core/kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import type { Tensor, Timing } from '../../schemas/generated.js';
import type { Admitted } from '../admission.js';
import type { Answer } from '../batching/batch.js';
import { errorReply, type Outcome } from './outcome.js';

/** What the model's answer means for the caller: a reply, or that it came too late. */
export function answerOutcome(
  record: KafkaRecord,
  admitted: Admitted,
  answer: Answer,
  node: string,
  now: number,
): Outcome {
  const { request, caller, version } = admitted;
  const lateMs = request.deadline === null ? 0 : now - request.deadline;
  if (lateMs > 0) {
    const late = new PartituraError('DEADLINE_EXCEEDED', `deadline passed ${lateMs} ms before the reply`);
    return failureOutcome(record, admitted, late, node);
  }
  const reply = {
    id: request.id,
    model: request.model,
    modelVersion: version.version,
    outputs: wanted(answer, request.outputs),
    error: null,
    node,
    timing: timing(answer),
  };
  return { kind: 'reply', record, caller, reply };
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
  if (error.code !== 'MODEL_CRASHED') return { kind: 'reply', record, caller, reply };
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
