import { readBindings, type AppliedBinding } from '../../../cluster/bindings/store.js';
import { within } from '../../../core/time.js';
import { KafkaError, type KafkaAdmin } from '../../../kafka/port.js';
import type { TopicView } from '../../api/views.js';
import type { ConsoleServices } from '../services.js';
import { readTopics } from '../views/topics.js';

const READ_LIMIT_MS = 10_000;
/** Bindings change rarely, and reading them takes a consumer. */
const BINDINGS_AGE_MS = 15_000;
/** Topics are read at most this often, whatever the number of readers. */
const TOPICS_AGE_MS = 1_000;

/** A value and the time of its reading. */
interface Aged<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

/** Reads topics and bindings from the brokers; concurrent readers share one query. */
export class ClusterReader {
  #admin: Promise<KafkaAdmin> | undefined;
  #topics: Aged<TopicView[]> | undefined;
  #bindings: Aged<AppliedBinding[]> | undefined;

  constructor(readonly services: Pick<ConsoleServices, 'kafka' | 'config' | 'nodes'>) {}

  /** @throws KafkaError if the brokers do not answer in time */
  topics(): Promise<TopicView[]> {
    if (!this.#topics || Date.now() - this.#topics.at > TOPICS_AGE_MS) {
      const value = this.#limited(this.#readTopics());
      this.#topics = { at: Date.now(), value };
      value.catch(() => this.#reset());
    }
    return this.#topics.value;
  }

  /** @throws KafkaError if the brokers do not answer in time */
  bindings(): Promise<AppliedBinding[]> {
    if (!this.#bindings || Date.now() - this.#bindings.at > BINDINGS_AGE_MS) {
      const { kafka, config } = this.services;
      const value = this.#limited(readBindings(kafka, config).then((applied) => [...applied.values()]));
      this.#bindings = { at: Date.now(), value };
      value.catch(() => (this.#bindings = undefined));
    }
    return this.#bindings.value;
  }

  /** Returns a connected admin client, shared by all readers. @throws KafkaError */
  admin(): Promise<KafkaAdmin> {
    this.#admin ??= this.#connect();
    return this.#admin;
  }

  /** Closes the connection to the brokers; the next query opens another. */
  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await (await admin?.catch(() => undefined))?.close();
  }

  async #readTopics(): Promise<TopicView[]> {
    const bindings = await this.bindings();
    return readTopics(await this.admin(), this.services.config.prefix, bindings, this.services.nodes.nodes());
  }

  async #connect(): Promise<KafkaAdmin> {
    const admin = this.services.kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      await admin.close();
      throw error;
    }
  }

  #limited<T>(work: Promise<T>): Promise<T> {
    return within(READ_LIMIT_MS, work, () => new KafkaError('unavailable', 'the brokers do not answer'));
  }

  #reset(): void {
    this.#topics = undefined;
    void this.close();
  }
}
