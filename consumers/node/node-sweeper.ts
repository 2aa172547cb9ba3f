import type { Outbox } from '../../kafka/sending/outbox.js';
import type { KafkaClient } from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import {
  expiredKeys,
  readStatuses,
  SILENT_AFTER_MS,
  type ReportedStatus,
} from '../../cluster/node-directory.js';
import { sleep } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';

const MAX_INTERVAL_MS = 60_000;

export interface SweeperOptions {
  readonly node: string;
  readonly prefix: string;
  readonly fetchMaxBytes: number;
  /** Time without a status after which a node is removed, milliseconds. */
  readonly forgetMs: number;
}

/**
 * Deletes the statuses of dead nodes. The live node with the first name does it; two at a time are harmless, and a node
 * that was only paused reappears with its next heartbeat.
 */
export class NodeSweeper {
  readonly #closing = new AbortController();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(
    readonly kafka: KafkaClient,
    readonly outbox: Outbox,
    readonly options: SweeperOptions,
    readonly log: Logger,
  ) {}

  start(): void {
    this.#sweeping = this.#keepSweeping();
  }

  async #keepSweeping(): Promise<void> {
    const { signal } = this.#closing;
    const intervalMs = Math.min(MAX_INTERVAL_MS, this.options.forgetMs);
    for (;;) {
      await sleep(intervalMs, signal);
      if (signal.aborted) return;
      // Nodes work without the right to read the node topic.
      await this.#sweep().catch((error: unknown) =>
        this.log.debug({ err: error }, 'dead nodes cannot be removed; retrying'),
      );
    }
  }

  async #sweep(): Promise<void> {
    const topic = topicNames(this.options.prefix).nodes;
    const read = { groupPrefix: `${topic}.`, signal: this.#closing.signal };
    const heard = await readStatuses(this.kafka, this.options, read);
    for (const key of toRemove(heard, this.options)) {
      this.log.info({ node: key }, 'node is dead; deleting its status');
      const record = { topic, key: Buffer.from(key), value: null, headers: {} };
      this.outbox.push(record, { delivered: () => undefined, failed: () => undefined });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'));
    await this.#sweeping;
  }
}

/** Returns the keys of the statuses that this node deletes: none unless it is the first live node. */
export function toRemove(
  heard: readonly ReportedStatus[],
  { node, forgetMs }: Pick<SweeperOptions, 'node' | 'forgetMs'>,
): string[] {
  const dead = expiredKeys(heard, forgetMs);
  const silent = expiredKeys(heard, SILENT_AFTER_MS);
  const [first] = heard
    .map(({ key }) => key)
    .filter((key) => !silent.includes(key))
    .sort();
  return first === node ? dead : [];
}
