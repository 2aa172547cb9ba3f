import { deadLetterTopic, type BindingDefinition } from '../../cluster/bindings/definition.js';
import type { AppliedBinding } from '../../cluster/bindings/store.js';
import { refuseCircle, refuseReservedTopics, refuseTopicsNotAllowed } from '../../cluster/bindings/topics.js';
import type { Config } from '../../core/config/config.js';
import type { Outbox } from '../../kafka/sending/outbox.js';
import { isOutage, type KafkaAdmin, type KafkaClient, type KafkaRecord } from '../../kafka/port.js';
import type { RecordFit } from '../../kafka/sending/record-fit.js';
import { nodeReadLimits } from '../../kafka/record-batches/read-limits.js';
import type { Logger } from '../../core/log.js';
import { backoffMs, sleep, type Backoff } from '../../core/time.js';
import type { TopicNames } from '../../cluster/topics.js';
import { PartituraError } from '../../schemas/errors.js';
import type { BindingStatus } from '../../schemas/generated.js';
import type { SchemaRegistry } from '../../schemas/registry/client.js';
import type { ModelSignature } from '../engine/engine.js';
import type { InFlight } from '../records/in-flight.js';
import type { NodeMetrics } from '../records/metrics.js';
import type { ModelCatalog } from '../models/catalog.js';
import type { ServedVersion } from '../models/served-version.js';
import type { RecordSpans } from '../records/record-spans.js';
import { RecordConsumer } from '../records/record-consumer.js';
import { BoundRecords, type BoundOutcome, type BoundPublisher, type BoundWork } from './bound-records.js';
import { createFormat } from './create-format.js';
import { OutboxPublisher, type BoundPublisherOptions } from './outbox-publisher.js';
import { predictionsOf } from './predictions.js';
import { TransactionalPublisher } from './transactional-publisher.js';

const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 30_000 };

/** What bindings take of their node. */
export interface BindingParts {
  readonly node: string;
  readonly config: Config;
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly topics: TopicNames;
  readonly outbox: Outbox;
  readonly recordFit: RecordFit;
  readonly catalog: Pick<ModelCatalog, 'resolve'>;
  /** Undefined without a schema registry. */
  readonly registry: SchemaRegistry | undefined;
  readonly inFlight: InFlight;
  readonly metrics: NodeMetrics;
  readonly spans: RecordSpans;
  readonly log: Logger;
  onDeadLetter(reason: string, record: KafkaRecord, message: string): void;
  /** The status of a binding has changed. */
  onChange(): void;
}

type BindingState = 'WAITING' | 'STARTING' | 'RUNNING' | 'FAILED';
type BindingConsumer = RecordConsumer<BoundWork, BoundOutcome>;

/** Something that runs, with what ends it. */
interface Run {
  readonly consumer: BindingConsumer;
  close(): Promise<void>;
}

/**
 * One binding on one node: runs while a version of its model is available, begins anew when that takes or gives other
 * tensors, and tries again when something fails. What it has not finished then is read again.
 */
export class BindingRunner {
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #state: BindingState = 'WAITING';
  #message: string | null = null;
  #run: Run | undefined;
  /** Who waits for a change of the models. */
  #waiting: (() => void)[] = [];

  /** @param earlier bindings that were applied before this one: of those in a circle the last one is refused */
  constructor(
    readonly applied: AppliedBinding,
    readonly earlier: () => readonly BindingDefinition[],
    readonly parts: BindingParts,
  ) {
    this.#running = this.#keepRunning();
  }

  get status(): BindingStatus {
    const { definition, revision } = this.applied;
    return { binding: definition.name, revision, state: this.#state, message: this.#message };
  }

  get owned(): RecordConsumer<BoundWork, BoundOutcome>['owned'] {
    return this.#run?.consumer.owned ?? [];
  }

  /** The versions of a model have changed. */
  onModel(model: string): void {
    if (model === this.applied.definition.model) this.#wake();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #keepRunning(): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted;) {
      const version = this.#version();
      if (version instanceof Error) {
        this.#say('WAITING', version.message);
        await this.#change();
        continue;
      }
      const failure = await this.#runOnce(version.signature);
      if (!failure) failures = 0;
      else if (!this.#closing.signal.aborted) {
        this.#say(isOutage(failure) ? 'WAITING' : 'FAILED', failure.message);
        await sleep(backoffMs(BACKOFF, ++failures), this.#closing.signal);
      }
    }
  }

  /** Runs until the model is another or the node stops. @returns why it failed, if it did */
  async #runOnce(signature: ModelSignature): Promise<Error | undefined> {
    const failed = new FirstError();
    try {
      this.#say('STARTING', null);
      this.#run = await this.#start(signature, (error) => failed.tell(error));
      this.#say('RUNNING', null);
      const failure = await Promise.race([failed.told, this.#untilModelIsAnother(signature, failed)]);
      await this.#end(failure !== undefined);
      return failure;
    } catch (error) {
      await this.#end(true);
      return error as Error;
    }
  }

  async #untilModelIsAnother(signature: ModelSignature, failed: FirstError): Promise<undefined> {
    while (!this.#closing.signal.aborted && !failed.error && this.#fits(signature)) await this.#change();
    return undefined;
  }

  #change(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #end(isFailed: boolean): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    if (isFailed) await run.consumer.abandon();
    await run.close();
  }

  /** The version that answers, or why there is none. */
  #version(): ServedVersion | Error {
    const { model, version = null } = this.applied.definition;
    try {
      return this.parts.catalog.resolve(model, version);
    } catch (error) {
      return error as Error;
    }
  }

  /** The same as long as the tensors are. */
  #fits(signature: ModelSignature): ServedVersion | undefined {
    const version = this.#version();
    return !(version instanceof Error) && isSame(version.signature, signature) ? version : undefined;
  }

  #say(state: BindingState, message: string | null): void {
    if (state === this.#state && message === this.#message) return;
    this.#state = state;
    this.#message = message;
    const { name: binding, model } = this.applied.definition;
    const level = state === 'FAILED' ? 'warn' : 'info';
    this.parts.log[level]({ binding, model, state, message }, 'binding');
    this.parts.onChange();
  }

  async #start(signature: ModelSignature, onStopped: (error: Error) => void): Promise<Run> {
    const { definition } = this.applied;
    refuseReservedTopics(definition, this.parts.topics);
    refuseTopicsNotAllowed(definition, this.parts.config.bindingTopics);
    refuseCircle(definition, this.earlier());
    refuseOtherInputs(definition, signature);
    const predictions = predictionsOf(definition.output.fields, signature);
    const keepsPartitions = await this.#createTopics(definition);
    const format = await createFormat(definition, predictions, signature, this.parts, onStopped);
    // Before the group is joined: what a former life has left unfinished is ended, so that its positions are certain.
    const publisher = await this.#createPublisher(definition, onStopped);
    const version = (): ServedVersion | undefined => this.#fits(signature);
    const records = new BoundRecords(definition, {
      format,
      predictions,
      publisher,
      spans: this.parts.spans,
      version,
      keepsPartitions,
    });
    const consumer = this.#createConsumer(definition, records, onStopped);
    const close = async (): Promise<void> => {
      await consumer.close();
      format.close();
      await publisher.close();
    };
    try {
      await consumer.start();
    } catch (error) {
      await consumer.abandon();
      await close();
      throw error;
    }
    return { consumer, close };
  }

  #createConsumer(
    { name, source, model, exactlyOnce }: BindingDefinition,
    records: BoundRecords,
    onStopped: (error: Error) => void,
  ): BindingConsumer {
    const { config, kafka, admin, topics, inFlight, metrics, spans, log } = this.parts;
    const group = topics.bindingGroup(name);
    const { commitIntervalMs, drainTimeoutMs, sessionTimeoutMs, fetchMaxBytes } = config;
    const consumer = kafka.consumer({
      group,
      topic: source.topic,
      from: source.from,
      sessionTimeoutMs,
      fetchMaxBytes,
      readLimits: nodeReadLimits(config),
      instanceId: config.kafkaInstanceId,
      // Transactions name the generation in which a partition was got; by KIP-848 that changes under kept partitions.
      groupProtocol: exactlyOnce ? 'classic' : config.kafkaGroupProtocol,
    });
    const options = {
      model,
      group,
      ordered: true,
      commitIntervalMs,
      drainTimeoutMs,
      commitsWithOutcomes: exactlyOnce,
      now: Date.now,
      onStopped,
    };
    return new RecordConsumer(consumer, records, options, {
      inFlight: inFlight.share(),
      readPositions: () => admin.committed(group, source.topic),
      metrics,
      spans,
      log,
    });
  }

  /** Output and dead letters, with the partitions of the source. @returns whether the output has as many */
  async #createTopics(definition: BindingDefinition): Promise<boolean> {
    const { admin, config } = this.parts;
    const { source, output } = definition;
    const partitions = await admin.partitionCount(source.topic);
    if (partitions === undefined)
      throw new PartituraError(
        'INVALID_REQUEST',
        `source.topic: expected a topic that exists, got '${source.topic}'`,
      );
    const { replicationFactor } = config;
    await admin.createTopics(
      [output.topic, deadLetterTopic(definition)].map((topic) => ({ topic, partitions, replicationFactor })),
    );
    return (await admin.partitionCount(output.topic)) === partitions;
  }

  async #createPublisher(
    definition: BindingDefinition,
    onStopped: (error: Error) => void,
  ): Promise<BoundPublisher> {
    const { outbox, recordFit, config, kafka, topics, node } = this.parts;
    const options: BoundPublisherOptions = {
      deadLetterTopic: deadLetterTopic(definition),
      deadLetterHeaders: config.deadLetterHeaders,
      fits: (record) => recordFit.check(record),
      onStopped,
      onDeadLetter: (record, { code, message }) => this.parts.onDeadLetter(code, record, message),
    };
    if (!definition.exactlyOnce) return new OutboxPublisher(outbox, options);
    if (!kafka.abilities.fencedTransactions)
      throw new PartituraError(
        'INVALID_REQUEST',
        `exactlyOnce: expected nodes with KAFKA_CLIENT=native, got ${config.kafkaClient}, whose transactions are not fenced`,
      );
    const producer = kafka.transactionalProducer(`${topics.bindingGroup(definition.name)}.${node}`);
    try {
      await producer.connect();
    } catch (error) {
      await producer.close().catch(() => undefined);
      throw error;
    }
    return new TransactionalPublisher(producer, options);
  }
}

/** The first error of several. */
class FirstError {
  error: Error | undefined;
  #resolve: (error: Error) => void = () => undefined;
  readonly told = new Promise<Error>((resolve) => (this.#resolve = resolve));

  tell(error: Error): void {
    this.error ??= error;
    this.#resolve(error);
  }
}

function isSame(a: ModelSignature, b: ModelSignature): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** @throws PartituraError INVALID_REQUEST that names what is missing or too much */
function refuseOtherInputs({ inputs, model }: BindingDefinition, signature: ModelSignature): void {
  const wanted = signature.inputs.map(({ name }) => name);
  const given = Object.keys(inputs);
  if (wanted.every((name) => given.includes(name)) && given.every((name) => wanted.includes(name))) return;
  throw new PartituraError(
    'INVALID_REQUEST',
    `inputs: expected those of model '${model}', ${list(wanted)}, got ${list(given)}`,
  );
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ') || 'none';
}
