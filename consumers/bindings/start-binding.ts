import { deadLetterTopic, type BindingDefinition } from '../../cluster/bindings/definition.js';
import { refuseCircle, refuseReservedTopics, refuseTopicsNotAllowed } from '../../cluster/bindings/topics.js';
import type { TopicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaAdmin, KafkaClient, KafkaConsumer, KafkaRecord } from '../../kafka/port.js';
import { nodeReadLimits } from '../../kafka/record-batches/read-limits.js';
import type { Outbox } from '../../kafka/sending/outbox.js';
import type { RecordFit } from '../../kafka/sending/record-fit.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { SchemaRegistry } from '../../schemas/registry/client.js';
import type { ModelSignature } from '../engine/engine.js';
import type { ModelCatalog } from '../models/catalog.js';
import type { ServedVersion } from '../models/served-version.js';
import type { InFlight } from '../records/in-flight.js';
import type { NodeMetrics } from '../records/metrics.js';
import { RecordConsumer } from '../records/record-consumer.js';
import type { RecordSpans } from '../records/record-spans.js';
import { BoundRecords, type BoundOutcome, type BoundPublisher, type BoundWork } from './bound-records.js';
import { createFormat } from './create-format.js';
import { OutboxPublisher, type BoundPublisherOptions } from './outbox-publisher.js';
import { predictionsOf } from './predictions.js';
import { TransactionalPublisher } from './transactional-publisher.js';

/** The parts of a node that bindings use. */
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
  /** Called when the status of a binding has changed. */
  onChange(): void;
}

export type BindingConsumer = RecordConsumer<BoundWork, BoundOutcome>;

/** A running binding. */
export interface BindingRun {
  readonly consumer: BindingConsumer;
  close(): Promise<void>;
}

/** One start of a binding. */
export interface BindingStart {
  readonly definition: BindingDefinition;
  /** Signature of the model that answers, with which the run is consistent. */
  readonly signature: ModelSignature;
  /** Bindings applied before this one; a binding that would close a circle with them is refused. */
  readonly earlier: readonly BindingDefinition[];
  /** Returns the version that answers; undefined while no available version has this signature. */
  readonly version: () => ServedVersion | undefined;
  readonly onStopped: (error: Error) => void;
}

/**
 * Starts a binding: checks its topics and inputs, creates its topics, and joins its group.
 * @throws PartituraError INVALID_REQUEST for a definition that cannot run on this node; KafkaError
 */
export async function startBinding(start: BindingStart, parts: BindingParts): Promise<BindingRun> {
  const { definition, signature, onStopped } = start;
  refuseReservedTopics(definition, parts.topics);
  refuseTopicsNotAllowed(definition, parts.config.bindingTopics);
  refuseCircle(definition, start.earlier);
  refuseOtherInputs(definition, signature);
  const predictions = predictionsOf(definition.output.fields, signature);
  const keepsPartitions = await createTopics(definition, parts);
  const format = await createFormat({ definition, predictions, signature }, parts, onStopped);
  // Before the group is joined: an unfinished transaction of an earlier run is ended, so that positions are certain.
  const publisher = await createPublisher(definition, parts, onStopped);
  const { version } = start;
  const { spans } = parts;
  const bound = { format, predictions, publisher, spans, version, keepsPartitions };
  const records = new BoundRecords(definition, bound);
  const consumer = createConsumer(definition, records, parts, onStopped);
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

function createConsumer(
  definition: BindingDefinition,
  records: BoundRecords,
  parts: BindingParts,
  onStopped: (error: Error) => void,
): BindingConsumer {
  const { config, admin, topics, inFlight, metrics, spans, log } = parts;
  const { commitIntervalMs, drainTimeoutMs } = config;
  const { name, source, model, exactlyOnce: commitsWithOutcomes } = definition;
  const group = topics.bindingGroup(name);
  const committing = { commitIntervalMs, drainTimeoutMs, commitsWithOutcomes };
  const options = { model, group, ordered: true, ...committing, now: Date.now, onStopped };
  const readPositions = (): ReturnType<KafkaAdmin['committed']> => admin.committed(group, source.topic);
  const shared = { inFlight: inFlight.share(), readPositions, metrics, spans, log };
  return new RecordConsumer(createKafkaConsumer(definition, parts), records, options, shared);
}

function createKafkaConsumer(
  { name, source, exactlyOnce }: BindingDefinition,
  { config, kafka, topics }: BindingParts,
): KafkaConsumer {
  const { sessionTimeoutMs, fetchMaxBytes, kafkaInstanceId: instanceId } = config;
  return kafka.consumer({
    group: topics.bindingGroup(name),
    topic: source.topic,
    from: source.from,
    sessionTimeoutMs,
    fetchMaxBytes,
    instanceId,
    readLimits: nodeReadLimits(config),
    // Transactions name the generation in which a partition was assigned; with KIP-848 it changes under kept partitions.
    groupProtocol: exactlyOnce ? 'classic' : config.kafkaGroupProtocol,
  });
}

/** Creates output and dead letter topics with the partitions of the source. @returns true if the output has as many */
async function createTopics(
  definition: BindingDefinition,
  { admin, config }: BindingParts,
): Promise<boolean> {
  const { source, output } = definition;
  const partitions = await admin.partitionCount(source.topic);
  if (partitions === undefined)
    throw invalidRequest(`source.topic: expected a topic that exists, got '${source.topic}'`);
  const { replicationFactor } = config;
  await admin.createTopics(
    [output.topic, deadLetterTopic(definition)].map((topic) => ({ topic, partitions, replicationFactor })),
  );
  return (await admin.partitionCount(output.topic)) === partitions;
}

async function createPublisher(
  definition: BindingDefinition,
  parts: BindingParts,
  onStopped: (error: Error) => void,
): Promise<BoundPublisher> {
  const { outbox, recordFit, config, kafka, topics, node } = parts;
  const options: BoundPublisherOptions = {
    deadLetterTopic: deadLetterTopic(definition),
    deadLetterHeaders: config.deadLetterHeaders,
    fits: (record) => recordFit.check(record),
    onStopped,
    onDeadLetter: (record, { code, message }) => parts.onDeadLetter(code, record, message),
  };
  if (!definition.exactlyOnce) return new OutboxPublisher(outbox, options);
  if (!kafka.abilities.fencedTransactions)
    throw invalidRequest(
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

/** @throws PartituraError INVALID_REQUEST that names missing and unknown inputs */
function refuseOtherInputs({ inputs, model }: BindingDefinition, signature: ModelSignature): void {
  const wanted = signature.inputs.map(({ name }) => name);
  const given = Object.keys(inputs);
  if (wanted.every((name) => given.includes(name)) && given.every((name) => wanted.includes(name))) return;
  throw invalidRequest(`inputs: expected those of model '${model}', ${list(wanted)}, got ${list(given)}`);
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ') || 'none';
}
