import type { RecordHeaders } from '../schemas/framing/framing.js';
import type { PartituraError } from '../schemas/errors.js';

/** Names of headers that Partitura reads and writes, apart from those of the reply dialects. */
export const INFERENCE_ERROR = 'inference-error';
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** The trace context of a request, which its reply carries on. */
export function copyTraceHeaders(from: RecordHeaders, to: RecordHeaders): void {
  for (const name of TRACE_HEADERS) {
    const value = from[name];
    if (value !== undefined) to[name] = value;
  }
}

/** Where a record failed, in the words of the Kafka Connect headers. */
export type FailureStage = 'decode' | 'validate' | 'model' | 'reply';

/** Messages may quote what a sender wrote; a record has room for its headers, not for that twice. */
const MAX_MESSAGE_CHARACTERS = 4_096;

/** As much of an error's message as belongs into a header. */
export function readableMessage(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARACTERS);
}

/** Headers that a dead letter has on top of its original ones, in the style of Kafka Connect. */
export function deadLetterHeaders(
  source: { topic: string; partition: number; offset: number },
  stage: FailureStage,
  error: PartituraError,
): RecordHeaders {
  return {
    '__connect.errors.topic': Buffer.from(source.topic),
    '__connect.errors.partition': Buffer.from(String(source.partition)),
    '__connect.errors.offset': Buffer.from(String(source.offset)),
    '__connect.errors.stage': Buffer.from(stage),
    '__connect.errors.exception.class.name': Buffer.from(error.code),
    '__connect.errors.exception.message': Buffer.from(readableMessage(error.message)),
    [INFERENCE_ERROR]: Buffer.from(error.code),
  };
}
