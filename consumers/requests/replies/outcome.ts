import type { FailureStage } from '../../../schemas/headers/headers.js';
import type { ReplyAddress, ReplyDialect } from '../../../schemas/headers/reply-dialects.js';
import type { KafkaRecord } from '../../../kafka/port.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Framing, RecordHeaders } from '../../../schemas/framing/framing.js';
import type { InferenceReply } from '../../../schemas/generated.js';

/** The sender of a request: its reply address, dialect and framing. */
export interface Caller {
  readonly framing: Framing;
  readonly dialect: ReplyDialect;
  readonly address: ReplyAddress;
}

/** The outcome of a record of a request topic. */
export type Outcome =
  | {
      readonly kind: 'reply';
      readonly record: KafkaRecord;
      readonly caller: Caller;
      readonly reply: InferenceReply;
      /** Deadline of the reply, milliseconds since the epoch; null for none. */
      readonly deadline: number | null;
      /** Headers of the reply beside those of its dialect and framing. */
      readonly headers?: RecordHeaders;
    }
  | {
      readonly kind: 'dead-letter';
      readonly record: KafkaRecord;
      readonly stage: FailureStage;
      readonly error: PartituraError;
      /** The error reply sent with it, if the request names an allowed reply topic. */
      readonly notice?: { readonly caller: Caller; readonly reply: InferenceReply };
    }
  | { readonly kind: 'tombstone'; readonly record: KafkaRecord }
  /** A request that nobody waits for any more; it is neither computed nor answered. */
  | { readonly kind: 'cancelled'; readonly record: KafkaRecord };

/** Returns an error reply. */
export function errorReply(
  { id, model, modelVersion }: Pick<InferenceReply, 'id' | 'model' | 'modelVersion'>,
  error: PartituraError,
  node: string,
): InferenceReply {
  const { code, message, retryable } = error;
  return { id, model, modelVersion, outputs: [], error: { code, message, retryable }, node, timing: null };
}

/** Replaces a reply whose deadline has passed with an error reply. */
export function refuseIfLate(outcome: Outcome, now: number, node: string): Outcome {
  if (outcome.kind !== 'reply' || outcome.deadline === null || now <= outcome.deadline) return outcome;
  const message = `deadline passed ${now - outcome.deadline} ms before the reply`;
  const reply = errorReply(outcome.reply, new PartituraError('DEADLINE_EXCEEDED', message), node);
  return { ...outcome, reply, deadline: null };
}

/** Returns the id of a request that has none; it is the same whenever its record is read again. */
export function recordId({ topic, partition, offset }: KafkaRecord): string {
  return `${topic}-${partition}-${offset}`;
}

/** Returns true for a refusal for lateness, which is sent at once, ahead of earlier replies: it would be useless later. */
export function isTooLate(outcome: Outcome): boolean {
  return outcome.kind === 'reply' && outcome.reply.error?.code === 'DEADLINE_EXCEEDED';
}

/** Returns the receiver of the outcome's reply; undefined if it has none. */
export function callerOf(outcome: Outcome): Caller | undefined {
  if (outcome.kind === 'reply') return outcome.caller;
  return outcome.kind === 'dead-letter' ? outcome.notice?.caller : undefined;
}

/** Returns the outcome's label in metrics: `ok`, `tombstone`, `cancelled`, or an error code. */
export function outcomeName(outcome: Outcome): string {
  if (outcome.kind === 'tombstone' || outcome.kind === 'cancelled') return outcome.kind;
  if (outcome.kind === 'dead-letter') return outcome.error.code;
  return outcome.reply.error?.code ?? 'ok';
}
