import { SpanKind, SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { copyTraceHeaders } from '../../schemas/headers/headers.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { textOrHex } from '../../core/printable.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { ATTRIBUTE, sendAttributes, traceOf, writeTrace } from '../../core/tracing.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import type { Answer } from '../batching/batch.js';

/** Follows records through the node for OpenTelemetry, each as part of the trace that its headers name. */
export interface RecordSpans {
  /** A record was taken on. */
  begin(record: KafkaRecord, group: string, model: string): void;
  /** @param arrivedAt monotonic milliseconds */
  answered(record: KafkaRecord, answer: Answer, arrivedAt: number): void;
  /** Writes into the headers of what is sent in answer to a record which trace it belongs to. */
  carryOn(record: KafkaRecord, topic: string, headers: RecordHeaders): void;
  /** The record's outcome is acknowledged. @param outcome as metrics count it */
  end(record: KafkaRecord, outcome: string): void;
}

/** Where spans are not wanted: the trace passes through as it came. */
export const NO_SPANS: RecordSpans = {
  begin: () => undefined,
  answered: () => undefined,
  carryOn: (record, _topic, headers) => copyTraceHeaders(record.headers, headers),
  end: () => undefined,
};

interface Spans {
  readonly process: Span;
  readonly context: Context;
  readonly model: string;
  send: Span | undefined;
}

/** Keys and correlation ids may be as large as records, and many spans wait for the exporter. */
const MAX_TEXT_BYTES = 256;
const GOOD = new Set(['ok', 'tombstone']);

/**
 * Three spans for each record, by the conventions for messaging:
 *
 *   process <topic>        taken on ──────────────────────────────▶ acknowledged
 *     predict <model>                 the batch computes
 *     send <reply topic>                        the reply is built ▶ acknowledged
 *
 * What is lost with its partition never ends here: its next owner makes spans of its own.
 */
export class TracedRecords implements RecordSpans {
  readonly #spans = new WeakMap<KafkaRecord, Spans>();

  constructor(readonly tracer: Tracer) {}

  begin(record: KafkaRecord, group: string, model: string): void {
    const parent = traceOf(record.headers);
    const options = { kind: SpanKind.CONSUMER, attributes: attributesOf(record, group, model) };
    const span = this.tracer.startSpan(`process ${record.topic}`, options, parent);
    this.#spans.set(record, { process: span, context: trace.setSpan(parent, span), model, send: undefined });
  }

  answered(record: KafkaRecord, { queueMs, computeMicros, batchRows }: Answer, arrivedAt: number): void {
    const spans = this.#spans.get(record);
    if (!spans) return;
    const startTime = arrivedAt + queueMs;
    const attributes = {
      [ATTRIBUTE.model]: spans.model,
      [ATTRIBUTE.batchRows]: batchRows,
      [ATTRIBUTE.queueMillis]: queueMs,
    };
    this.tracer
      .startSpan(`predict ${spans.model}`, { startTime, attributes }, spans.context)
      .end(startTime + computeMicros / 1_000);
  }

  carryOn(record: KafkaRecord, topic: string, headers: RecordHeaders): void {
    copyTraceHeaders(record.headers, headers);
    const spans = this.#spans.get(record);
    if (!spans) return;
    // A reply that was refused is sent anew, as an error.
    spans.send?.end();
    spans.send = this.tracer.startSpan(
      `send ${topic}`,
      { kind: SpanKind.PRODUCER, attributes: sendAttributes(topic) },
      spans.context,
    );
    writeTrace(trace.setSpan(spans.context, spans.send), headers);
  }

  end(record: KafkaRecord, outcome: string): void {
    const spans = this.#spans.get(record);
    if (!spans) return;
    this.#spans.delete(record);
    spans.send?.end();
    spans.process.setAttribute(ATTRIBUTE.outcome, outcome);
    if (!GOOD.has(outcome)) {
      spans.process.setAttribute(ATTRIBUTE.errorType, outcome);
      spans.process.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
    }
    spans.process.end();
  }
}

function attributesOf(
  { topic, partition, offset, key, value, headers }: KafkaRecord,
  group: string,
  model: string,
): Record<string, string | number | boolean> {
  const { correlation } = detectDialect(headers).read(headers);
  return {
    [ATTRIBUTE.system]: 'kafka',
    [ATTRIBUTE.operationName]: 'process',
    [ATTRIBUTE.operationType]: 'process',
    [ATTRIBUTE.topic]: topic,
    [ATTRIBUTE.partition]: String(partition),
    [ATTRIBUTE.offset]: offset,
    [ATTRIBUTE.group]: group,
    [ATTRIBUTE.model]: model,
    [ATTRIBUTE.bytes]: value?.length ?? 0,
    ...(value === null && { [ATTRIBUTE.tombstone]: true }),
    ...(key && { [ATTRIBUTE.key]: textOrHex(key, MAX_TEXT_BYTES) }),
    ...(correlation && { [ATTRIBUTE.correlation]: textOrHex(correlation, MAX_TEXT_BYTES) }),
  };
}
