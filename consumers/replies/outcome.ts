import type { FailureStage, ReplyAddress, ReplyDialect } from '../../core/headers.js';
import type { KafkaRecord } from '../../core/kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';
import type { Framing } from '../../schemas/framing/framing.js';
import type { InferenceReply } from '../../schemas/generated.js';

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
  request: { id: string; model: string; modelVersion: string | null },
  error: PartituraError,
  node: string,
): InferenceReply {
  const { code, message, retryable } = error;
  return { ...request, outputs: [], error: { code, message, retryable }, node, timing: null };
}

/** The id of a request that has none: the same whenever its record is read again. */
export function recordId({ topic, partition, offset }: KafkaRecord): string {
  return `${topic}-${partition}-${offset}`;
}
