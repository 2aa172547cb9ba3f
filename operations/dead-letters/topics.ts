import { type PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { KafkaAdmin } from '../../kafka/port.js';
import type { TopicNames } from '../../cluster/topics.js';

/** Common suffixes of dead-letter topics: ours, Spring's (-dlt, formerly .DLT) and those customary with Connect. */
const LETTERS = /(^|[._-])(dlt|dlq|dead-?letters?)$/i;

/** Default names of the internal topics of Kafka Connect workers. */
const CONNECT_OWN = /^connect-(configs|offsets|status)$/;

/** Classification of topics that hold dead letters. */
export class DeadLetterTopics {
  constructor(
    readonly names: TopicNames,
    /** Dead-letter topics of bindings, with the source topics of each. */
    readonly ofBindings: ReadonlyMap<string, ReadonlySet<string>>,
    /** True to refuse topics that are not the cluster's own dead-letter topics, even if they are named. */
    readonly ownOnly = false,
  ) {}

  /** Returns the only trusted origins of the letters of a cluster topic; undefined for other topics. */
  originsOf(topic: string): ReadonlySet<string> | undefined {
    const model = this.names.modelOfDeadLetters(topic);
    return model === undefined ? this.ofBindings.get(topic) : new Set([this.names.requests(model)]);
  }

  /** Returns true if all records of a topic are dead letters, even without error headers. */
  holdsLetters(topic: string): boolean {
    return this.ofBindings.has(topic) || (LETTERS.test(topic) && !this.isReserved(topic));
  }

  /** Returns true for internal topics, which are neither read for dead letters nor written to. */
  isReserved(topic: string): boolean {
    return topic.startsWith('_') || CONNECT_OWN.test(topic) || this.names.own.includes(topic);
  }

  /**
   * Returns the named topics, or all dead-letter topics of the cluster if none is named.
   * @throws PartituraError INVALID_REQUEST for a missing or reserved topic
   */
  async choose(admin: KafkaAdmin, named: readonly string[]): Promise<string[]> {
    const existing = new Set(await admin.listTopics());
    if (named.length === 0)
      return [...existing]
        .filter((topic) => this.names.modelOfDeadLetters(topic) !== undefined || this.ofBindings.has(topic))
        .sort();
    for (const topic of named) {
      this.#check(topic, existing);
      if (this.ownOnly && this.originsOf(topic) === undefined) throw notOwn(topic);
    }
    return [...new Set(named)];
  }

  #check(topic: string, existing: ReadonlySet<string>): void {
    if (this.isReserved(topic))
      throw invalidRequest(`expected a dead-letter topic, got '${topic}', which is reserved`);
    if (existing.has(topic)) return;
    const known = [...existing].filter((one) => this.holdsLetters(one)).sort();
    throw invalidRequest(
      `expected an existing topic, got '${topic}'; dead-letter topics: ${known.slice(0, 20).join(', ') || 'none'}`,
    );
  }
}

function notOwn(topic: string): PartituraError {
  return invalidRequest(
    `expected a dead-letter topic of a model or a binding, got '${topic}'; \`partitura dlq\` reads others`,
  );
}
