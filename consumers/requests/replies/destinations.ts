import { lacking } from '../../../cluster/acls.js';
import { queryOrBlame, UnansweredError } from '../blame.js';
import { isOutage, KafkaError, type KafkaAdmin } from '../../../kafka/port.js';
import { type PartituraError, invalidRequest } from '../../../schemas/errors.js';

/** Lifetime of what the cluster says about a topic, milliseconds. */
const FOUND_FOR_MS = 5 * 60_000;
const MISSING_FOR_MS = 2_000;
const REFUSED_FOR_MS = 10_000;
/** Maximum of cached topics: senders choose the names. */
const MAX_REMEMBERED = 10_000;

/** Interval of lookups for a partition that a topic seems to lack, milliseconds. */
const PARTITIONS_FOR_MS = 2_000;

interface Known {
  /** Undefined for a topic that cannot be used. */
  readonly partitions: number | undefined;
  /** The reason why it cannot be used, unless it does not exist. */
  readonly problem?: string;
  readonly since: number;
  readonly until: number;
}

export interface DestinationOptions {
  /** A topic that always exists: distinguishes an outage from a topic that cannot be described. */
  readonly probeTopic: string;
  readonly now?: () => number;
  /** Time limit of one request to the cluster, milliseconds. */
  readonly limitMs?: number;
}

/** Knows which reply topics can be used, so that no reply is sent to a topic that refuses it. */
export class Destinations {
  readonly #known = new Map<string, Known>();
  readonly #lookUps = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #now: () => number;

  constructor(
    readonly admin: Pick<KafkaAdmin, 'partitionCount'>,
    readonly options: DestinationOptions,
  ) {
    this.#now = options.now ?? Date.now;
  }

  /**
   * Returns a promise until `check` can answer; undefined if it can already. Outages are waited out; a topic that the
   * cluster refuses to describe is cached as unusable.
   * @throws KafkaError after `close`
   */
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

  /** Returns true if a topic may have grown since it was looked up. */
  #isFresh({ partitions, since, until }: Known, partition = 0): boolean {
    const now = this.#now();
    if (now >= until) return false;
    return partitions === undefined || partition < partitions || now < since + PARTITIONS_FOR_MS;
  }

  /** Looks topics up again and returns those that do not exist. @throws KafkaError after `close` */
  async missing(topics: readonly string[]): Promise<Set<string>> {
    await Promise.all(topics.map((topic) => this.#ask(topic)));
    return new Set(topics.filter((topic) => this.#known.get(topic)?.partitions === undefined));
  }

  async #ask(topic: string): Promise<void> {
    const { probeTopic, limitMs } = this.options;
    const answer = await queryOrBlame<number | undefined>({
      ask: () => this.admin.partitionCount(topic),
      faultySideOf: (error) => (mayRecover(error) ? 'unclear' : 'request'),
      probe: () => this.admin.partitionCount(probeTopic),
      signal: this.#closing.signal,
      limitMs,
    });
    if (answer instanceof Error) this.refuse(topic, whyNotUsable(topic, answer));
    else this.#remember(topic, { partitions: answer }, answer === undefined ? MISSING_FOR_MS : FOUND_FOR_MS);
  }

  /** Caches that a topic cannot be used because the broker refused to describe it or refused a record for it. */
  refuse(topic: string, problem: string): void {
    this.#remember(topic, { partitions: undefined, problem }, REFUSED_FOR_MS);
  }

  #remember(topic: string, known: Pick<Known, 'partitions' | 'problem'>, forMs: number): void {
    this.#known.delete(topic);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MAX_REMEMBERED) this.#known.delete(oldest);
    const since = this.#now();
    this.#known.set(topic, { ...known, since, until: since + forMs });
  }

  /** Returns the reason why a reply cannot be sent there; undefined if it can. */
  check(topic: string, partition: number | undefined): PartituraError | undefined {
    const { partitions, problem } = this.#known.get(topic) ?? {};
    if (partitions === undefined)
      return invalidRequest(
        problem === undefined
          ? `reply topic '${topic}': expected a topic that exists`
          : `reply topic '${topic}': expected a topic that the nodes may use, got: ${problem}`,
      );
    if (partition === undefined || (Number.isInteger(partition) && partition >= 0 && partition < partitions))
      return undefined;
    const got = Number.isNaN(partition) ? 'undecodable bytes' : String(partition);
    return invalidRequest(`reply partition of '${topic}': expected 0 to ${partitions - 1}, got ${got}`);
  }

  /** Ends all lookups. */
  close(): void {
    this.#closing.abort(new KafkaError('unavailable', 'closed'));
  }
}

function mayRecover(error: Error): boolean {
  return error instanceof UnansweredError || isOutage(error);
}

/** Names the missing right if that is the reason. */
function whyNotUsable(topic: string, error: Error): string {
  const isForbidden = error instanceof KafkaError && error.kind === 'not-authorized';
  return isForbidden ? lacking('node', 'WRITE', `topic ${topic}`, error.message) : error.message;
}
