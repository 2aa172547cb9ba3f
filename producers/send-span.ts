import {
  context,
  INVALID_SPAN_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
} from '@opentelemetry/api';
import { ATTRIBUTE, currentTracer, isTracing, sendAttributes, writeTrace } from '../core/tracing.js';
import type { RecordHeaders } from '../schemas/framing/framing.js';

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/**
 * Starts a span for sending a request to its topic, within the caller's trace. Records nothing if the program has not
 * set up OpenTelemetry.
 * @param headers receive the trace context, which the node continues
 */
export function sendSpan(topic: string, id: string, bytes: number, headers: RecordHeaders): Span {
  if (!isTracing()) return NO_SPAN;
  const attributes = {
    ...sendAttributes(topic),
    [ATTRIBUTE.messageId]: id,
    [ATTRIBUTE.correlation]: id,
    [ATTRIBUTE.bytes]: bytes,
  };
  const span = currentTracer().startSpan(`send ${topic}`, { kind: SpanKind.PRODUCER, attributes });
  writeTrace(trace.setSpan(context.active(), span), headers);
  return span;
}

/** Ends the span of a request that could not be sent. */
export function endFailed(span: Span, error: Error): void {
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span.end();
}
