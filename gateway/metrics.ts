import { Counter, createRegistry, Gauge, Histogram, type Registry } from '../core/telemetry.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Label of requests to the gateway's own routes. */
const OWN = 'gateway';

/** Metrics of a gateway; names are part of the contract, units are base units. */
export class GatewayMetrics {
  readonly registry: Registry = createRegistry();
  readonly #requests: Counter<'dialect' | 'status'>;
  readonly #seconds: Histogram<'dialect'>;

  /** @param inflight reads the number of requests that wait for their reply */
  constructor(inflight: () => number) {
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'partitura_gateway_requests_total',
      help: 'Requests answered, by dialect and status code',
      labelNames: ['dialect', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'partitura_gateway_request_seconds',
      help: 'Time from the arrival of a request to the end of its response',
      labelNames: ['dialect'],
      buckets: SECONDS,
      registers,
    });
    const gauge: Gauge = new Gauge({
      name: 'partitura_gateway_inflight_requests',
      help: 'Requests that wait for their reply',
      registers,
      collect: () => gauge.set(inflight()),
    });
  }

  /** Counts an answered request. */
  answered(dialect: string, status: number | string, elapsedMs: number): void {
    const label = dialect === '' ? OWN : dialect;
    this.#requests.inc({ dialect: label, status: String(status) });
    this.#seconds.observe({ dialect: label }, elapsedMs / 1_000);
  }
}
