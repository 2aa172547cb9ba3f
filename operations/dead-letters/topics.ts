import { PartituraError } from '../../schemas/errors.js';
import type { KafkaAdmin } from '../../kafka/port.js';
import type { TopicNames } from '../../cluster/topics.js';

/** How topics of dead letters end in the programs that are known: ours, Spring's (-dlt, formerly .DLT) and Connect's users'. */
const LETTERS = /(^|[._-])(dlt|dlq|dead-?letters?)$/i;

/** Where Kafka Connect's workers keep their state, as they are named by default. */
const CONNECT_OWN = /^connect-(configs|offsets|status)$/;

/** Which topics hold dead letters. */
export class DeadLetterTopics {
  constructor(
    readonly names: TopicNames,
    /** Where the cluster's bindings put theirs, with the topics that these come from. */
    readonly ofBindings: ReadonlyMap<string, ReadonlySet<string>>,
  ) {}

  /** Where the letters of a topic come from when it is one of the cluster's own: no other origin is believed. */
  originsOf(topic: string): ReadonlySet<string> | undefined {
    const model = this.names.modelOfDeadLetters(topic);
    return model === undefined ? this.ofBindings.get(topic) : new Set([this.names.requests(model)]);
  }

  /** Whether all that is in a topic is dead letters, those without error headers too. */
  holdsLetters(topic: string): boolean {
    return this.ofBindings.has(topic) || (LETTERS.test(topic) && !this.isReserved(topic));
  }

  /** Topics that programs keep for themselves: neither read for dead letters nor written to. */
  isReserved(topic: string): boolean {
    return topic.startsWith('_') || CONNECT_OWN.test(topic) || this.names.own.includes(topic);
  }

  /**
   * These topics, or all of the cluster's own when none is named.
   * @throws PartituraError INVALID_REQUEST for one that does not exist, or is not for this
   */
  async choose(admin: KafkaAdmin, named: readonly string[]): Promise<string[]> {
    const existing = new Set(await admin.listTopics());
    if (named.length === 0)
      return [...existing]
        .filter((topic) => this.names.modelOfDeadLetters(topic) !== undefined || this.ofBindings.has(topic))
        .sort();
    for (const topic of named) this.#check(topic, existing);
    return [...new Set(named)];
  }

  #check(topic: string, existing: ReadonlySet<string>): void {
    if (this.isReserved(topic))
      throw new PartituraError(
        'INVALID_REQUEST',
        `expected a topic of dead letters, got '${topic}', which is kept for other things`,
      );
    if (existing.has(topic)) return;
    const known = [...existing].filter((one) => this.holdsLetters(one)).sort();
    throw new PartituraError(
      'INVALID_REQUEST',
      `expected a topic that exists, got '${topic}'; dead letters are in ${known.slice(0, 20).join(', ') || 'no topic'}`,
    );
  }
}
