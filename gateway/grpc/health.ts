import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ServedModels } from '../models/served-models.js';
import { statusOf } from './failures.js';
import { GRPC_STATUS } from '../inference/problem.js';

/** Nodes die without a sign, so that readiness is looked at in this interval, milliseconds. */
const WATCH_INTERVAL_MS = 500;

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
interface Message {
  readonly status: ServingStatus;
}
interface HealthRequest {
  readonly service: string;
}
type WatchCall = ServerWritableStream<HealthRequest, Message>;
type Callback = (error: object | null, value?: object) => void;

/**
 * Health of the gateway: all services serve while a live node serves a model, and until the gateway stops.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export class Health {
  readonly #known: ReadonlySet<string>;
  /** Open watches with the status last reported to each. */
  readonly #watches = new Map<WatchCall, ServingStatus>();
  readonly #timer: NodeJS.Timeout;
  #draining = false;

  constructor(
    readonly models: Pick<ServedModels, 'isServing'>,
    services: readonly string[],
  ) {
    this.#known = new Set(['', ...services]);
    this.#timer = setInterval(() => this.#reportChanges(), WATCH_INTERVAL_MS).unref();
  }

  readonly implementation: UntypedServiceImplementation = {
    check: ({ request }: { readonly request: HealthRequest }, callback: Callback): void => {
      const status = this.#statusOf(request.service);
      if (status !== 'SERVICE_UNKNOWN') return callback(null, { status });
      const message = `service '${request.service}' is unknown`;
      callback(statusOf({ http: 404, grpc: GRPC_STATUS.NOT_FOUND, code: 'NOT_FOUND', message }));
    },
    list: (_call: unknown, callback: Callback): void => {
      const statuses = [...this.#known].map((service) => [service, { status: this.#statusOf(service) }]);
      callback(null, { statuses: Object.fromEntries(statuses) as object });
    },
    watch: (call: WatchCall): void => {
      const forget = (): void => void this.#watches.delete(call);
      call.once('cancelled', forget);
      call.once('close', forget);
      this.#report(call);
      if (this.#draining) call.end();
    },
  };

  /** Reports NOT_SERVING from now on, and ends all watches after it. */
  close(): void {
    this.#draining = true;
    clearInterval(this.#timer);
    this.#reportChanges();
    for (const call of this.#watches.keys()) call.end();
    this.#watches.clear();
  }

  #statusOf(service: string): ServingStatus {
    if (!this.#known.has(service)) return 'SERVICE_UNKNOWN';
    return this.models.isServing && !this.#draining ? 'SERVING' : 'NOT_SERVING';
  }

  #reportChanges(): void {
    for (const [call, reported] of this.#watches)
      if (this.#statusOf(call.request.service) !== reported) this.#report(call);
  }

  #report(call: WatchCall): void {
    const status = this.#statusOf(call.request.service);
    this.#watches.set(call, status);
    call.write({ status });
  }
}
