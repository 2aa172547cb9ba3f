import { lacking } from '../../cluster/acls.js';
import { ensureTopics } from '../../cluster/ensure-topics.js';
import { checkRecordLimits } from '../../cluster/record-limits.js';
import { modelTopics } from '../../cluster/topic-specs.js';
import { unlessAborted } from '../../core/time.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import { KafkaError, type KafkaConsumer } from '../../kafka/port.js';
import { nodeReadLimits } from '../../kafka/record-batches/read-limits.js';
import type { OwnedPartition } from '../../schemas/generated.js';
import { RecordConsumer } from '../records/record-consumer.js';
import type { Admitted } from '../requests/admission.js';
import type { Outcome } from '../requests/replies/outcome.js';
import { Requests, type RequestParts } from '../requests/requests.js';
import type { Foundation } from './foundation.js';

type RequestConsumer = RecordConsumer<Admitted, Outcome>;

/** The consumers of request topics: one for each model that has an available version. */
export class ModelConsumers {
  readonly #consumers = new Map<string, RequestConsumer>();

  constructor(
    readonly foundation: Foundation,
    readonly requestParts: RequestParts,
  ) {}

  get isEmpty(): boolean {
    return this.#consumers.size === 0;
  }

  get owned(): OwnedPartition[] {
    return [...this.#consumers.values()].flatMap(({ owned }) => owned);
  }

  /** Starts or stops consuming a model's requests. @param isAvailable true if a version of it is available */
  async follow(model: string, isAvailable: boolean): Promise<void> {
    const consumer = this.#consumers.get(model);
    if (isAvailable && !consumer) await this.#consume(model);
    if (!isAvailable && consumer) {
      this.#consumers.delete(model);
      await consumer.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close()));
  }

  async #consume(model: string): Promise<void> {
    const { config, admin, log, schemas, lifecycle, outage } = this.foundation;
    const names = modelTopics(model, config).map(({ topic }) => topic);
    await untilAvailable(() => this.#ensureTopics(model), outage, lifecycle.closing);
    await unlessAborted(lifecycle.closing, checkRecordLimits(admin, names, config.maxRecordBytes, log));
    schemas?.announce(model);
    await untilAvailable(() => this.#start(model), outage, lifecycle.closing);
  }

  /** Creates the topics of a model. Without its request topic there is nothing to serve; the others are optional. */
  async #ensureTopics(model: string): Promise<void> {
    const { admin, config, topics } = this.foundation;
    const requests = topics.requests(model);
    const refused = await ensureTopics(admin, modelTopics(model, config));
    const cause = refused.find(({ topic }) => topic === requests)?.error;
    if (cause) throw new KafkaError('not-authorized', missing(requests), { cause });
  }

  async #start(model: string): Promise<void> {
    const { lifecycle, inFlight, admin, topics, metrics, spans, log } = this.foundation;
    lifecycle.closing.throwIfAborted();
    const group = topics.group(model);
    const share = inFlight.share();
    const readPositions = (): ReturnType<typeof admin.committed> =>
      admin.committed(group, topics.requests(model));
    const consumer = new RecordConsumer(
      this.#kafkaConsumer(model),
      new Requests(model, this.requestParts),
      this.#optionsOf(model),
      { inFlight: share, readPositions, metrics, spans, log },
    );
    this.#consumers.set(model, consumer);
    try {
      await consumer.start();
    } catch (cause) {
      this.#consumers.delete(model);
      share.end();
      throw this.#explained(cause, model);
    }
  }

  #kafkaConsumer(model: string): KafkaConsumer {
    const { config, kafka, topics } = this.foundation;
    return kafka.consumer({
      group: topics.group(model),
      topic: topics.requests(model),
      from: 'earliest',
      sessionTimeoutMs: config.sessionTimeoutMs,
      fetchMaxBytes: config.fetchMaxBytes,
      readLimits: nodeReadLimits(config),
      instanceId: config.kafkaInstanceId,
      groupProtocol: config.kafkaGroupProtocol,
    });
  }

  #optionsOf(model: string): RequestConsumer['options'] {
    const { config, topics, lifecycle } = this.foundation;
    const { ordered, commitIntervalMs, drainTimeoutMs } = config;
    const onStopped = (error: Error): void => lifecycle.fail(error);
    const group = topics.group(model);
    return { model, group, ordered, commitIntervalMs, drainTimeoutMs, now: Date.now, onStopped };
  }

  /** Names the right that is missing if the group or the topic refuses this node. */
  #explained(cause: unknown, model: string): unknown {
    if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
    const { topics } = this.foundation;
    const isGroup = /group/i.test(cause.message);
    const resource = isGroup ? `group ${topics.group(model)}` : `topic ${topics.requests(model)}`;
    return new KafkaError(cause.kind, lacking('node', 'READ', resource, cause.message), { cause });
  }
}

function missing(topic: string): string {
  const reason = 'it does not exist and may not be created, or may not be described';
  return lacking('node', 'READ', `topic ${topic}`, reason);
}
