import { randomUUID } from 'node:crypto';
import type { BindingDefinition } from '../../cluster/bindings/definition.js';
import { readBindingRecord, readBindingRecords, type AppliedBinding } from '../../cluster/bindings/store.js';
import type { KafkaConsumer, KafkaRecord } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import type { BindingStatus, OwnedPartition } from '../../schemas/generated.js';
import { BindingRunner } from './binding-runner.js';
import type { BindingParts } from './start-binding.js';

/** Runs the applied bindings of the cluster, and follows changes to them. */
export class Bindings {
  readonly #runners = new Map<string, BindingRunner>();
  #consumer: KafkaConsumer | undefined;
  /** Serializes changes. */
  #changing = Promise.resolve();
  readonly #closing = new AbortController();

  /** @param onStopped called if the binding topic can no longer be followed */
  constructor(
    readonly parts: BindingParts,
    readonly onStopped: (error: Error) => void,
  ) {}

  /** Starts the currently applied bindings and follows the binding topic from there. */
  async start(): Promise<void> {
    const { kafka, topics, config } = this.parts;
    const { sessionTimeoutMs, fetchMaxBytes } = config;
    const topic = topics.bindings;
    const groupPrefix = `${topic}.`;
    const { signal } = this.#closing;
    const records = await readBindingRecords(kafka, config, {
      groupPrefix,
      signal,
      onIgnored: (count) =>
        this.parts.log.error({ topic, count }, 'bindings exceed the size limits; ignoring them'),
    });
    const next = records.reduce((end, { offset }) => Math.max(end, offset + 1), 0);
    this.#onRecords(records);
    this.#consumer = kafka.consumer({
      group: `${groupPrefix}${randomUUID()}`,
      topic,
      from: 'earliest',
      partitions: [0],
      offsets: new Map([[0, next]]),
      sessionTimeoutMs,
      fetchMaxBytes,
    });
    await this.#consumer.start({
      onRecords: (records) => this.#onRecords(records),
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: this.onStopped,
    });
  }

  get statuses(): BindingStatus[] {
    return [...this.#runners.values()].map(({ status }) => status);
  }

  get owned(): OwnedPartition[] {
    return [...this.#runners.values()].flatMap(({ owned }) => owned);
  }

  /** Called when the available versions of a model have changed. */
  onModel(model: string): void {
    for (const runner of this.#runners.values()) runner.onModel(model);
  }

  #onRecords(records: readonly KafkaRecord[]): void {
    for (const record of records) {
      try {
        const { name, applied } = readBindingRecord(record);
        this.#changing = this.#changing.then(() => this.#change(name, applied));
      } catch (error) {
        const { offset } = record;
        this.parts.log.error(
          { err: PartituraError.from(error), offset },
          'applied binding cannot be read; keeping its previous definition',
        );
      }
    }
  }

  async #change(name: string, applied: AppliedBinding | undefined): Promise<void> {
    const runner = this.#runners.get(name);
    if (this.#closing.signal.aborted || (runner && runner.applied.revision === applied?.revision)) return;
    this.#runners.delete(name);
    await runner?.close();
    if (applied) this.#runners.set(name, new BindingRunner(applied, this.#earlierThan(applied), this.parts));
    this.parts.onChange();
  }

  /** Returns the bindings that were applied before this one. */
  #earlierThan({ offset }: AppliedBinding): () => BindingDefinition[] {
    const all = (): AppliedBinding[] => [...this.#runners.values()].map(({ applied }) => applied);
    return () =>
      all()
        .filter((other) => other.offset < offset)
        .map(({ definition }) => definition);
  }

  /** Finishes the work in flight and leaves the groups. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the node is being closed'));
    await this.#consumer?.close();
    await this.#changing;
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()));
  }
}
