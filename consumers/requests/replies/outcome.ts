import type { FailureStage } from '../../../schemas/headers/headers.js';
import type { ReplyAddress, ReplyDialect } from '../../../schemas/headers/reply-dialects.js';
import type { KafkaRecord } from '../../../kafka/port.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Framing } from '../../../schemas/framing/framing.js';
import type { InferenceReply } from '../../../schemas/generated.js';

/** What the sender of a record wants to hear, and how. */
export interface Caller {
  readonly framing: Framing;
  readonly dialect: ReplyDialect;
  readonly address: ReplyAddress;
}

/** How a record of a request topic ends: exactly one of these. */
export type Outcome =
  | {
      readonly kind: 'reply';
      readonly record: KafkaRecord;
      readonly caller: Caller;
      readonly reply: InferenceReply;
      /** Of an answer that comes too late after it, milliseconds since the epoch; null where it never does. */
      readonly deadline: number | null;
    }
  | {
      readonly kind: 'dead-letter';
      readonly record: KafkaRecord;
      readonly stage: FailureStage;
      readonly error: PartituraError;
      /** The error reply that goes with it, where one was asked for and may be given. */
      readonly notice?: { readonly caller: Caller; readonly reply: InferenceReply };
    }
  | { readonly kind: 'tombstone'; readonly record: KafkaRecord };

/** A reply that says why there is none. */
export function errorReply(
  { id, model, modelVersion }: Pick<InferenceReply, 'id' | 'model' | 'modelVersion'>,
  error: PartituraError,
  node: string,
): InferenceReply {
  const { code, message, retryable } = error;
  return { id, model, modelVersion, outputs: [], error: { code, message, retryable }, node, timing: null };
}

/** Replaces an answer whose deadline has passed by an error reply. */
export function unlessLate(outcome: Outcome, now: number, node: string): Outcome {
  if (outcome.kind !== 'reply' || outcome.deadline === null || now <= outcome.deadline) return outcome;
  const message = `deadline passed ${now - outcome.deadline} ms before the reply`;
  const reply = errorReply(outcome.reply, new PartituraError('DEADLINE_EXCEEDED', message), node);
  return { ...outcome, reply, deadline: null };
}

/** The id of a request that has none: the same whenever its record is read again. */
export function recordId({ topic, partition, offset }: KafkaRecord): string {
  return `${topic}-${partition}-${offset}`;
}

/** That there is no time is told at once, ahead of earlier answers: afterwards nobody needs to know. */
export function isTooLate(outcome: Outcome): boolean {
  return outcome.kind === 'reply' && outcome.reply.error?.code === 'DEADLINE_EXCEEDED';
}

/** Who hears of the outcome; undefined when nobody does. */
export function callerOf(outcome: Outcome): Caller | undefined {
  if (outcome.kind === 'reply') return outcome.caller;
  return outcome.kind === 'dead-letter' ? outcome.notice?.caller : undefined;
}

/** The outcome as metrics count it: `ok`, `tombstone`, or the code of the error. */
export function outcomeName(outcome: Outcome): string {
  if (outcome.kind === 'tombstone') return 'tombstone';
  if (outcome.kind === 'dead-letter') return outcome.error.code;
  return outcome.reply.error?.code ?? 'ok';
}
