import type { InFlight } from './in-flight.js';
import { Counter, Gauge, Histogram, createRegistry, type Registry } from '../../core/telemetry.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Metrics of a node; their names are part of the contract, their units are base units. */
export interface NodeMetrics {
  readonly registry: Registry;
  readonly requests: Counter<'model' | 'outcome'>;
  readonly deadLetters: Counter<'reason'>;
  readonly queueSeconds: Histogram<'model'>;
  readonly computeSeconds: Histogram<'model'>;
  readonly batchSize: Histogram<'model'>;
  readonly batchChecks: Counter<'model' | 'result'>;
  readonly lostLocks: Counter<'model'>;
  readonly lagRecords: Gauge<'topic' | 'partition'>;
}

/** Creates the metrics of one node in a registry of their own. */
export function createNodeMetrics(inFlight: Pick<InFlight, 'requests' | 'bytes'>): NodeMetrics {
  const registry = createRegistry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]): Histogram<'model'> =>
    new Histogram({ name, help, labelNames: ['model'], buckets, registers });
  /** A gauge that is read on each scrape. */
  const observed = (name: string, help: string, read: () => number): void => {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => void gauge.set(read()) });
  };
  const requestsHelp = 'Requests in flight, from arrival to acknowledged outcome';
  observed('partitura_inflight_requests', requestsHelp, () => inFlight.requests);
  observed('partitura_inflight_bytes', 'Bytes of the requests in flight', () => inFlight.bytes);
  const outcomeHelp = 'Records by outcome: ok, tombstone, cancelled, or an error code';
  const checksHelp = 'Batches recomputed row by row, by result: equal, different or failed';
  const lostHelp = 'Records of a share group whose lock was lost before they were acknowledged';
  return {
    registry,
    requests: counter('partitura_requests_total', outcomeHelp, 'model', 'outcome'),
    deadLetters: counter('partitura_dead_letters_total', 'Dead letters by error code', 'reason'),
    queueSeconds: histogram(
      'partitura_queue_seconds',
      'Time from arrival to the start of the batch',
      SECONDS,
    ),
    computeSeconds: histogram('partitura_compute_seconds', 'Time of a batch in the engine', SECONDS),
    batchSize: histogram('partitura_batch_size', 'Rows of a batch', ROWS),
    batchChecks: counter('partitura_batch_checks_total', checksHelp, 'model', 'result'),
    lostLocks: counter('partitura_lost_locks_total', lostHelp, 'model'),
    lagRecords: new Gauge({
      name: 'partitura_consumer_lag_records',
      help: 'Records between the position and the end of the partition',
      labelNames: ['topic', 'partition'],
      registers,
    }),
  };
}
