import { lacking } from '../../cluster/acls.js';
import type { Outbox } from '../../kafka/sending/outbox.js';
import type { KafkaError } from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import { within } from '../../core/time.js';
import { encodeNodeStatus, NODE_STATUS_HEADERS } from '../../schemas/framing/node-status.js';
import type { NodeStatus } from '../../schemas/generated.js';

const BEAT_MS = 2_000;
/** How long the end of a node waits for the cluster to be told. */
const STOP_LIMIT_MS = 1_000;

/** Tells the cluster of this node, on the compacted topic of nodes: a beat every two seconds, a tombstone at the end. */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  /** While the broker is away there is one beat under way, and at most one behind it. */
  #isSending = false;
  #isDue = false;
  #problem: string | undefined;

  constructor(
    readonly outbox: Outbox,
    readonly topic: string,
    readonly node: string,
    readonly status: () => NodeStatus,
    readonly log: Logger,
  ) {}

  start(): void {
    this.beat();
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
  }

  beat(): void {
    this.#isDue = true;
    if (!this.#isSending) void this.#sendDue();
  }

  async #sendDue(): Promise<void> {
    this.#isSending = true;
    while (this.#isDue) {
      this.#isDue = false;
      await this.#send(encodeNodeStatus(this.status()));
    }
    this.#isSending = false;
  }

  /** Resolves when the cluster knows that the node has left, or can't be told. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#isDue = false;
    const late = (): Error => new Error('the brokers took nothing');
    await within(STOP_LIMIT_MS, this.#send(null), late).catch(() => undefined);
  }

  /** A node beats every two seconds: what keeps it from doing so is said once. */
  #noteFailure({ kind, message }: KafkaError): void {
    if (message === this.#problem || kind === 'unavailable') return;
    this.#problem = message;
    const reason =
      kind === 'not-authorized' ? lacking('node', 'WRITE', `topic ${this.topic}`, message) : message;
    this.log.warn({ reason }, 'status cannot be published; other programs do not see this node');
  }

  #send(value: Buffer | null): Promise<void> {
    return new Promise((resolve) => {
      this.outbox.push(
        { topic: this.topic, key: Buffer.from(this.node), value, headers: NODE_STATUS_HEADERS },
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
