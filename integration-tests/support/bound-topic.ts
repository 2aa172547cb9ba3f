import assert from 'node:assert/strict';
import {
  checkBinding,
  deadLetterTopic,
  revisionOf,
  type BindingDefinition,
} from '../../cluster/bindings/definition.js';
import { bindingRecord, removalRecord } from '../../cluster/bindings/store.js';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { clusterTopics } from '../../cluster/topic-specs.js';
import type { InferenceNode } from '../../consumers/node/node.js';
import { eventually } from './eventually.js';
import type { Harness } from './harness.js';

const LIMIT_MS = 60_000;

/** A source topic of a binding, written by the test, with its results. */
export class BoundTopic {
  private constructor(
    readonly harness: Harness,
    readonly definition: BindingDefinition,
  ) {}

  /** Creates the source topic and applies the binding, without waiting for it to run. */
  static async apply(harness: Harness, definition: object, partitions = 3): Promise<BoundTopic> {
    const bound = new BoundTopic(harness, checkBinding(definition));
    const source = { topic: bound.definition.source.topic, partitions, replicationFactor: -1 };
    await harness.withAdmin((admin) => admin.createTopics([source, ...clusterTopics(harness.config())]));
    await bound.#publish([bindingRecord(harness.topics.bindings, bound.definition)]);
    return bound;
  }

  get deadLetterTopic(): string {
    return deadLetterTopic(this.definition);
  }

  /** Waits until this node runs the applied revision. */
  running(node: InferenceNode): Promise<void> {
    return this.reports(node, 'RUNNING');
  }

  reports(node: InferenceNode, state: string, message = /^/): Promise<void> {
    return eventually(
      `binding ${this.definition.name} is ${state}`,
      () => {
        const status = node.status().bindings.find(({ binding }) => binding === this.definition.name);
        return (
          status?.revision === revisionOf(this.definition) &&
          status.state === state &&
          message.test(status.message ?? '')
        );
      },
      LIMIT_MS,
    );
  }

  remove(): Promise<void> {
    return this.#publish([removalRecord(this.harness.topics.bindings, this.definition.name)]);
  }

  /** Writes records to the source. */
  async send(records: readonly Partial<OutgoingRecord>[]): Promise<void> {
    const { topic } = this.definition.source;
    await this.#publish(records.map((record) => ({ topic, key: null, value: null, headers: {}, ...record })));
  }

  async #publish(records: readonly OutgoingRecord[]): Promise<void> {
    const producer = this.harness.kafka.producer();
    await producer.connect();
    await producer.send(records);
    await producer.close();
  }

  /** Returns all results once there are this many results and dead letters in total. */
  async results(count: number): Promise<KafkaRecord[]> {
    await this.handled(count);
    return this.harness.read(this.definition.output.topic);
  }

  deadLetters(): Promise<KafkaRecord[]> {
    return this.harness.read(this.deadLetterTopic);
  }

  /** Waits until this many records have an outcome. */
  async handled(count: number, limitMs = LIMIT_MS): Promise<void> {
    let found = 0;
    await eventually(
      `${count} results and dead letters`,
      async () => {
        const [results, letters] = [
          await this.harness.read(this.definition.output.topic),
          await this.deadLetters(),
        ];
        found = results.length + letters.length;
        return found >= count;
      },
      limitMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}, found ${found}`);
    });
  }

  /**
   * Checks that each of these values, by key, has become either a result or a dead letter byte for byte.
   * @param isGood returns true if it must be a result
   */
  async assertEnded(sent: ReadonlyMap<string, Buffer>, isGood: (key: string) => boolean): Promise<void> {
    const results = await this.results(sent.size);
    const letters = await this.deadLetters();
    assert.equal(results.length + letters.length, sent.size);
    const ended = new Set(results.map(({ key }) => key?.toString() ?? ''));
    for (const key of sent.keys()) if (isGood(key)) assert.ok(ended.has(key), key);
    for (const { key, value } of letters) {
      const name = key?.toString() ?? '';
      assert.ok(value?.equals(sent.get(name) ?? Buffer.alloc(0)), name);
      ended.add(name);
    }
    assert.equal(ended.size, sent.size);
  }

  /** Returns the number of source records that the binding has not committed. */
  uncommitted(): Promise<number> {
    const { name, source } = this.definition;
    return this.harness.uncommittedOf(this.harness.topics.bindingGroup(name), source.topic);
  }
}
