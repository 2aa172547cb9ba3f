import { SpanKind, SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { copyTraceHeaders } from '../../schemas/headers/headers.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { textOrHex } from '../../core/printable.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { ATTRIBUTE, sendAttributes, traceOf, writeTrace } from '../../core/tracing.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import type { Answer } from '../batching/batch.js';

/** Traces records through the node with OpenTelemetry, each as part of the trace that its headers name. */
export interface RecordSpans {
  /** Called when a record is accepted. */
  begin(record: KafkaRecord, group: string, model: string): void;
  /** @param arrivedAt monotonic milliseconds */
  answered(record: KafkaRecord, answer: Answer, arrivedAt: number): void;
  /** Writes the trace of a record into the headers of its reply. */
  carryOn(record: KafkaRecord, topic: string, headers: RecordHeaders): void;
  /** Called when the record's outcome is acknowledged. @param outcome its label in metrics */
  end(record: KafkaRecord, outcome: string): void;
}

/** Spans turned off: trace headers are passed on unchanged. */
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

/** Maximum length of attributes: keys and correlation ids can be as large as records, and spans wait for the exporter. */
const MAX_TEXT_BYTES = 256;
const GOOD = new Set(['ok', 'tombstone', 'cancelled']);

/**
 * Records three spans for each record, following the semantic conventions for messaging:
 *
 *   process <topic>        accepted ──────────────────────────────▶ acknowledged
 *     predict <model>                 the batch computes
 *     send <reply topic>                        the reply is built ▶ acknowledged
 *
 * Spans of a revoked partition never end here: its next owner records its own.
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
    // A refused reply is sent again as an error.
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
