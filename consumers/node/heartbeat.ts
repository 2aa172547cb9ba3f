import { lacking } from '../../cluster/acls.js';
import type { Outbox } from '../../kafka/sending/outbox.js';
import type { KafkaError } from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import { within } from '../../core/time.js';
import { encodeNodeStatus, NODE_STATUS_HEADERS } from '../../schemas/framing/node-status.js';
import type { NodeStatus } from '../../schemas/generated.js';

const BEAT_MS = 2_000;
/** Maximum time to publish the tombstone of a node that stops, milliseconds. */
const STOP_LIMIT_MS = 1_000;

export interface HeartbeatParts {
  readonly outbox: Outbox;
  /** The node topic. */
  readonly topic: string;
  readonly node: string;
  readonly status: () => NodeStatus;
  readonly log: Logger;
}

/** Publishes the node's status on the compacted node topic every two seconds, and a tombstone when the node stops. */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  /** While brokers are unavailable, one status is being sent and at most one waits behind it. */
  #isSending = false;
  #isDue = false;
  #problem: string | undefined;

  constructor(readonly parts: HeartbeatParts) {}

  start(): void {
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
    this.beat();
  }

  /** Publishes the status now; does nothing before `start`. */
  beat(): void {
    if (!this.#timer) return;
    this.#isDue = true;
    if (!this.#isSending) void this.#sendDue();
  }

  async #sendDue(): Promise<void> {
    this.#isSending = true;
    while (this.#isDue) {
      this.#isDue = false;
      await this.#send(encodeNodeStatus(this.parts.status()));
    }
    this.#isSending = false;
  }

  /** Publishes the tombstone. Resolves once the broker has it, or the time limit is over. */
  async stop(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#isDue = false;
    const late = (): Error => new Error('brokers unavailable');
    await within(STOP_LIMIT_MS, this.#send(null), late).catch(() => undefined);
  }

  /** Logs a problem once, not at every heartbeat. */
  #noteFailure({ kind, message }: KafkaError): void {
    if (message === this.#problem || kind === 'unavailable') return;
    this.#problem = message;
    const reason =
      kind === 'not-authorized' ? lacking('node', 'WRITE', `topic ${this.parts.topic}`, message) : message;
    this.parts.log.warn({ reason }, 'node status cannot be published; other programs see this node as dead');
  }

  #send(value: Buffer | null): Promise<void> {
    return new Promise((resolve) => {
      this.parts.outbox.push(
        { topic: this.parts.topic, key: Buffer.from(this.parts.node), value, headers: NODE_STATUS_HEADERS },
        {
          delivered: () => {
            this.#problem = undefined;
            resolve();
          },
          failed: (error) => {
            this.#noteFailure(error);
            resolve();
          },
        },
      );
    });
  }
}
