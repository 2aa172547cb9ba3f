import { lacking } from '../../../cluster/acls.js';
import { answerOrBlame, UnansweredError } from '../blame.js';
import { isOutage, KafkaError, type KafkaAdmin } from '../../../kafka/port.js';
import { PartituraError } from '../../../schemas/errors.js';

/** How long an answer of the cluster about a topic is trusted. */
const FOUND_FOR_MS = 5 * 60_000;
const MISSING_FOR_MS = 2_000;
const REFUSED_FOR_MS = 10_000;
/** Senders choose the names, so the number of remembered topics is bounded. */
const MAX_REMEMBERED = 10_000;

/** A partition that a topic seems to lack is looked up again this long after the last time. */
const PARTITIONS_FOR_MS = 2_000;

interface Known {
  /** Undefined for a topic that cannot be used. */
  readonly partitions: number | undefined;
  /** The reason why it cannot be used, where that is not its absence. */
  readonly problem?: string;
  readonly since: number;
  readonly until: number;
}

export interface DestinationOptions {
  /** A topic that exists as long as the cluster answers: tells an outage from a topic that cannot be described. */
  readonly probeTopic: string;
  readonly now?: () => number;
  /** Limit for one question to the cluster. */
  readonly limitMs?: number;
}

/** Knows which reply topics can be used, so that a reply is never sent where no broker would take it. */
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
   * Undefined when `check` can answer at once; else a promise after which it can. An outage is waited out; a topic that
   * the cluster refuses to describe is remembered as unusable.
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

  /** Topics grow: one that seems to lack a partition may have it by now. */
  #isFresh({ partitions, since, until }: Known, partition = 0): boolean {
    const now = this.#now();
    if (now >= until) return false;
    return partitions === undefined || partition < partitions || now < since + PARTITIONS_FOR_MS;
  }

  /** Asks again about each topic and returns those that do not exist. @throws KafkaError after `close` */
  async missing(topics: readonly string[]): Promise<Set<string>> {
    await Promise.all(topics.map((topic) => this.#ask(topic)));
    return new Set(topics.filter((topic) => this.#known.get(topic)?.partitions === undefined));
  }

  async #ask(topic: string): Promise<void> {
    const { probeTopic, limitMs } = this.options;
    const answer = await answerOrBlame<number | undefined>({
      ask: () => this.admin.partitionCount(topic),
      culpritOf: (error) => (isPassing(error) ? 'unclear' : 'question'),
      probe: () => this.admin.partitionCount(probeTopic),
      signal: this.#closing.signal,
      limitMs,
    });
    if (answer instanceof Error) this.refuse(topic, whyNotUsable(topic, answer));
    else this.#remember(topic, { partitions: answer }, answer === undefined ? MISSING_FOR_MS : FOUND_FOR_MS);
  }

  /** Remembers for a moment that a topic cannot be used, because the broker refused a question about it or a record for it. */
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

  /** The reason why a reply cannot go there; undefined when it can. */
  check(topic: string, partition: number | undefined): PartituraError | undefined {
    const { partitions, problem } = this.#known.get(topic) ?? {};
    if (partitions === undefined)
      return new PartituraError(
        'INVALID_REQUEST',
        problem === undefined
          ? `reply topic '${topic}': expected a topic that exists`
          : `reply topic '${topic}': expected a topic that the nodes may use, got: ${problem}`,
      );
    if (partition === undefined || (Number.isInteger(partition) && partition >= 0 && partition < partitions))
      return undefined;
    const got = Number.isNaN(partition) ? 'undecodable bytes' : String(partition);
    return new PartituraError(
      'INVALID_REQUEST',
      `reply partition of '${topic}': expected 0 to ${partitions - 1}, got ${got}`,
    );
  }

  /** Ends all look-ups under way. */
  close(): void {
    this.#closing.abort(new KafkaError('unavailable', 'closed'));
  }
}

function isPassing(error: Error): boolean {
  return error instanceof UnansweredError || isOutage(error);
}

/** Names the right that is missing, if that is it. */
function whyNotUsable(topic: string, error: Error): string {
  const isForbidden = error instanceof KafkaError && error.kind === 'not-authorized';
  return isForbidden ? lacking('node', 'WRITE', `topic ${topic}`, error.message) : error.message;
}
