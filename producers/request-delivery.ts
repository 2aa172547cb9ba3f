import type { Span } from '@opentelemetry/api';
import type { KafkaError } from '../kafka/port.js';
import type { Delivery } from '../kafka/sending/outbox.js';
import { endFailed } from './send-span.js';

/** The way of one request to the broker. A class, because this is the hot path. */
export class RequestDelivery implements Delivery {
  /** True once the request may have reached the broker. */
  begun = false;

  /**
   * @param isAwaited reads if the caller still waits for the reply
   * @param onFailed called if the request could not be sent
   */
  constructor(
    readonly span: Span,
    readonly isAwaited: () => boolean,
    readonly onFailed: (cause: KafkaError) => void,
  ) {}

  /** Drops a request that has been abandoned before its turn. */
  begins(): boolean {
    this.begun = this.isAwaited();
    if (!this.begun) this.span.end();
    return this.begun;
  }

  delivered(): void {
    this.span.end();
  }

  failed(cause: KafkaError): void {
    endFailed(this.span, cause);
    this.onFailed(cause);
  }
}
