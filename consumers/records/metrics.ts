import type { InFlight } from './in-flight.js';
import { Counter, Gauge, Histogram, createRegistry, type Registry } from '../../core/telemetry.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** What a node counts; names as the contract has them, base units. */
export interface NodeMetrics {
  readonly registry: Registry;
  readonly requests: Counter<'model' | 'outcome'>;
  readonly deadLetters: Counter<'reason'>;
  readonly queueSeconds: Histogram<'model'>;
  readonly computeSeconds: Histogram<'model'>;
  readonly batchSize: Histogram<'model'>;
  readonly batchChecks: Counter<'model' | 'result'>;
  readonly lagRecords: Gauge<'topic' | 'partition'>;
}

export function createNodeMetrics(inFlight: Pick<InFlight, 'requests' | 'bytes'>): NodeMetrics {
  const registry = createRegistry();
  const registers = [registry];
  observed(
    'partitura_inflight_requests',
    'Requests in the node, from arrival to acknowledged outcome',
    () => inFlight.requests,
  );
  observed('partitura_inflight_bytes', 'Bytes of the requests in the node', () => inFlight.bytes);
  return {
    registry,
    requests: new Counter({
      name: 'partitura_requests_total',
      help: 'Records by outcome: ok, tombstone, or the code of the error',
      labelNames: ['model', 'outcome'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'partitura_dead_letters_total',
      help: 'Dead letters by error code',
      labelNames: ['reason'],
      registers,
    }),
    queueSeconds: new Histogram({
      name: 'partitura_queue_seconds',
      help: 'From arrival at the node to the start of the batch',
      labelNames: ['model'],
      buckets: SECONDS,
      registers,
    }),
    computeSeconds: new Histogram({
      name: 'partitura_compute_seconds',
      help: 'Time of a batch in the engine',
      labelNames: ['model'],
      buckets: SECONDS,
      registers,
    }),
    batchSize: new Histogram({
      name: 'partitura_batch_size',
      help: 'Rows of a batch',
      labelNames: ['model'],
      buckets: ROWS,
      registers,
    }),
    batchChecks: new Counter({
      name: 'partitura_batch_checks_total',
      help: 'Batches whose rows were computed again alone, by result: equal, different or failed',
      labelNames: ['model', 'result'],
      registers,
    }),
    lagRecords: new Gauge({
      name: 'partitura_consumer_lag_records',
      help: 'Records behind the end of the partition',
      labelNames: ['topic', 'partition'],
      registers,
    }),
  };

  /** A gauge that is read when it is asked for. */
  function observed(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => void gauge.set(read()) });
  }
}
