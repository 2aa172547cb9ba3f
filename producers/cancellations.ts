import { cancellationRecord, MAX_CORRELATIONS } from '../cluster/cancellations.js';
import type { Logger } from '../core/log.js';
import type { KafkaProducer } from '../kafka/port.js';

export interface CancellationParts {
  readonly producer: Pick<KafkaProducer, 'send'>;
  readonly topic: string;
  readonly log: Logger;
}

/**
 * Tells nodes which requests are not waited for any longer. One record is in flight at a time, and ids that come
 * meanwhile share the next. Best effort: where a cancellation is lost, the request ends by its deadline.
 */
export class Cancellations {
  #waiting: string[] = [];
  #sending: Promise<void> | undefined;
  #refused = false;

  constructor(readonly parts: CancellationParts) {}

  add(correlation: string): void {
    if (this.#refused) return;
    this.#waiting.push(correlation);
    this.#sending ??= this.#send();
  }

  /** Resolves once all cancellations so far are sent, or have failed. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    const { producer, topic, log } = this.parts;
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#refused) {
      const correlations = this.#waiting.splice(0, MAX_CORRELATIONS);
      try {
        await producer.send([cancellationRecord(topic, correlations)]);
      } catch (error) {
        this.#noteFailure(error, log);
      }
    }
    this.#waiting = [];
    this.#sending = undefined;
  }

  /** Gives up where a right or the topic is missing: each attempt would fail, and delay requests of this producer. */
  #noteFailure(error: unknown, log: Logger): void {
    const { kind } = error as { readonly kind?: unknown };
    this.#refused = kind === 'not-authorized' || kind === 'unknown-topic';
    if (this.#refused)
      log.warn({ err: error }, 'cancellations cannot be sent; abandoned requests end by their deadlines');
    else log.debug({ err: error }, 'cancellation failed; the requests end by their deadlines');
  }
}
