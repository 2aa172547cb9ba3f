import type { Outbox } from '../core/kafka/outbox.js';
import type { Logger } from '../core/log.js';
import { encodeNodeStatus } from '../schemas/framing/single-object.js';
import type { NodeStatus } from '../schemas/generated.js';

const BEAT_MS = 2_000;

/** Tells the cluster of this node, on the compacted topic of nodes: a beat every two seconds, a tombstone at the end. */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;

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
    void this.#send(encodeNodeStatus(this.status()));
  }

  /** Resolves when the cluster knows that the node has left, or can't be told. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#send(null);
  }

  #send(value: Buffer | null): Promise<void> {
    return new Promise((resolve) => {
      this.outbox.push(
        { topic: this.topic, key: Buffer.from(this.node), value, headers: {} },
        {
          delivered: resolve,
          failed: (error) => {
            this.log.warn({ err: error }, 'the status of the node could not be published');
            resolve();
          },
        },
      );
    });
  }
}
