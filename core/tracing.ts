import {
  diag,
  DiagLogLevel,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  trace,
  type Context,
  type TextMapGetter,
  type TextMapSetter,
  type Tracer,
} from '@opentelemetry/api';
import { headerText, type RecordHeaders } from '../schemas/framing/framing.js';
import type { Logger } from './log.js';
import { within } from './time.js';

/** Instrumentation scope of our spans, in every program. */
const INSTRUMENTATION = 'partitura';
const STOP_LIMIT_MS = 5_000;
/** Variables that enable tracing. */
const SWITCHES = [
  'OTEL_TRACES_EXPORTER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
];

/**
 * Attribute names from OpenTelemetry's conventions for messaging, and a few of our own.
 * https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
 */
export const ATTRIBUTE = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  topic: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  offset: 'messaging.kafka.offset',
  key: 'messaging.kafka.message.key',
  tombstone: 'messaging.kafka.message.tombstone',
  group: 'messaging.consumer.group.name',
  correlation: 'messaging.message.conversation_id',
  messageId: 'messaging.message.id',
  bytes: 'messaging.message.body.size',
  errorType: 'error.type',
  model: 'partitura.model',
  outcome: 'partitura.outcome',
  batchRows: 'partitura.batch.rows',
  queueMillis: 'partitura.queue.duration_ms',
} as const;

/** Returns the attributes of every span that sends a record to a topic. */
export function sendAttributes(topic: string): Record<string, string> {
  return {
    [ATTRIBUTE.system]: 'kafka',
    [ATTRIBUTE.operationName]: 'send',
    [ATTRIBUTE.operationType]: 'send',
    [ATTRIBUTE.topic]: topic,
  };
}

/** Export of this process's spans, configured by `OTEL_*` variables. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Flushes the remaining spans. */
  stop(): Promise<void>;
}

/** Returns the tracer configured by the process; without configuration it records nothing. */
export function currentTracer(): Tracer {
  return trace.getTracer(INSTRUMENTATION);
}

/** Returns false if the process has not set up OpenTelemetry: its spans would record nothing. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return (
    !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(INSTRUMENTATION) !== undefined
  );
}

/**
 * Sets up OpenTelemetry from the standard `OTEL_*` variables, which its own library reads.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @param service service name, unless `OTEL_SERVICE_NAME` is set
 * @param instance distinguishes this process from others of the service
 * @returns undefined if no variable enables tracing
 */
export async function startTracing(
  environment: Readonly<Record<string, string | undefined>>,
  service: string,
  instance: string,
  log: Logger,
): Promise<Tracing | undefined> {
  if (!isWanted(environment)) return undefined;
  // Imported on demand: loading takes half a second and 30 MB.
  const { NodeSDK, resources } = await import('@opentelemetry/sdk-node');
  if (!environment['OTEL_LOG_LEVEL']) logProblems(log);
  const sdk = new NodeSDK({
    resource: resources.resourceFromAttributes({
      'service.name': service,
      'service.instance.id': instance,
    }),
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return { tracer: currentTracer(), stop: () => stop(() => sdk.shutdown(), log) };
}

function isWanted(environment: Readonly<Record<string, string | undefined>>): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  return SWITCHES.some((name) => environment[name]) && environment['OTEL_TRACES_EXPORTER'] !== 'none';
}

/** Logs export problems. */
function logProblems(log: Logger): void {
  const quiet = (): void => undefined;
  const report = (message: string, ...details: unknown[]): void =>
    log.warn({ details }, `tracing: ${message}`);
  diag.setLogger(
    { error: report, warn: report, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

async function stop(shutdown: () => Promise<void>, log: Logger): Promise<void> {
  const late = (): Error => new Error(`spans could not be sent within ${STOP_LIMIT_MS} ms`);
  await within(STOP_LIMIT_MS, shutdown(), late).catch((error: unknown) => {
    log.warn({ err: error }, 'span export failed at shutdown; the last spans are lost');
  });
}

const getter: TextMapGetter<RecordHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => headerText(headers, name),
};

const setter: TextMapSetter<RecordHeaders> = {
  set: (headers, name, text) => (headers[name] = Buffer.from(text)),
};

/** Extracts the trace context of a record from its headers. */
export function traceOf(headers: RecordHeaders): Context {
  return propagation.extract(ROOT_CONTEXT, headers, getter);
}

/** Injects a trace context into headers. */
export function writeTrace(context: Context, headers: RecordHeaders): void {
  propagation.inject(context, headers, setter);
}
