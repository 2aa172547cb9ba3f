import { lacking } from '../../core/acls.js';
import { backoffMs, sleep } from '../../core/retry.js';
import { KafkaError, type KafkaAdmin } from '../../core/kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';

/** What the cluster says of a topic is believed for so long. */
const FOUND_FOR_MS = 5 * 60_000;
const MISSING_FOR_MS = 2_000;
/** The most reply topics that are remembered: senders choose the names. */
const MAX_REMEMBERED = 10_000;
const LOOK_UP_LIMIT_MS = 60_000;

/** A partition that a topic seems to lack is asked for again this long after the last time. */
const PARTITIONS_FOR_MS = 2_000;

interface Known {
  readonly partitions: number | undefined;
  /** Why it cannot be used, where that is not its absence. */
  readonly problem: string | undefined;
  readonly since: number;
  readonly until: number;
}

/** Knows which reply topics exist, so that a reply is never sent where no broker would take it. */
export class Destinations {
  readonly #known = new Map<string, Known>();
  readonly #lookUps = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(
    readonly admin: Pick<KafkaAdmin, 'partitionCount'>,
    readonly now: () => number = Date.now,
  ) {}

  /** Undefined when `check` can answer at once; else a promise after which it can. @throws KafkaError when the cluster stays away */
  lookUp(topic: string, partition?: number): Promise<void> | undefined {
    const known = this.#known.get(topic);
    if (known && this.#isFresh(known, partition)) return undefined;
    let lookUp = this.#lookUps.get(topic);
    if (!lookUp) {
      lookUp = this.#ask(topic).finally(() => this.#lookUps.delete(topic));
      this.#lookUps.set(topic, lookUp);
    }
    return lookUp;
  }

  /** Topics grow: one that seems to lack a partition may have it by now. */
  #isFresh({ partitions = 0, since, until }: Known, partition = 0): boolean {
    const now = this.now();
    return now < until && (partition < partitions || now < since + PARTITIONS_FOR_MS);
  }

  /** Ends all look-ups. */
  close(): void {
    this.#closing.abort();
  }

  /** Which of the topics are gone, whatever was known of them. @throws KafkaError when the cluster stays away */
  async missing(topics: readonly string[]): Promise<Set<string>> {
    await Promise.all(topics.map((topic) => this.#ask(topic)));
    return new Set(topics.filter((topic) => this.#known.get(topic)?.partitions === undefined));
  }

  async #ask(topic: string): Promise<void> {
    const giveUpAt = this.now() + LOOK_UP_LIMIT_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        const partitions = await this.admin.partitionCount(topic);
        this.#remember(topic, partitions);
        return;
      } catch (error) {
        if (error instanceof KafkaError && error.kind === 'not-authorized')
          return this.#remember(topic, undefined, lacking('node', 'WRITE', `topic ${topic}`, error.message));
        const isAway = error instanceof KafkaError && error.kind === 'unavailable';
        if (this.#closing.signal.aborted || (!isAway && this.now() > giveUpAt)) throw error;
        await sleep(backoffMs({ firstMs: 100, maxMs: 2_000 }, attempt), this.#closing.signal);
      }
    }
  }

  #remember(topic: string, partitions: number | undefined, problem?: string): void {
    this.#known.delete(topic);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MAX_REMEMBERED) this.#known.delete(oldest);
    const forMs = partitions === undefined ? MISSING_FOR_MS : FOUND_FOR_MS;
    this.#known.set(topic, { partitions, problem, since: this.now(), until: this.now() + forMs });
  }

  /** Why a reply can't go there; undefined when it can. */
  check(topic: string, partition: number | undefined): PartituraError | undefined {
    const { partitions, problem = 'expected a topic that exists' } = this.#known.get(topic) ?? {};
    if (partitions === undefined)
      return new PartituraError('INVALID_REQUEST', `reply topic '${topic}': ${problem}`);
    if (partition === undefined || (Number.isInteger(partition) && partition >= 0 && partition < partitions))
      return undefined;
    const got = Number.isNaN(partition) ? 'bytes that are none' : String(partition);
    return new PartituraError(
      'INVALID_REQUEST',
      `reply partition of '${topic}': expected 0 to ${partitions - 1}, got ${got}`,
    );
  }
}
