import { lacking } from '../../cluster/acls.js';
import { ensureTopics } from '../../cluster/ensure-topics.js';
import { checkRecordLimits } from '../../cluster/record-limits.js';
import { LiveNodes } from '../../cluster/live-nodes.js';
import { modelTopics } from '../../cluster/topic-specs.js';
import type { Delivery } from '../../core/config/node.js';
import { unlessAborted } from '../../core/time.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import { KafkaError, type TopicSpec } from '../../kafka/port.js';
import type { OwnedPartition } from '../../schemas/generated.js';
import type { RequestParts } from '../requests/requests.js';
import { chooseDelivery, followGroup, type ChosenDelivery } from './delivery.js';
import type { Foundation } from './foundation.js';
import { startFollowing } from './start-following.js';
import { createRequestConsumer, type RequestConsumer } from './start-requests.js';
import { StepBack } from './step-back.js';

/** The models of a node, as far as the consumers of their requests are concerned. */
export interface ServedModels {
  /** Returns the delivery that the model's newest version asks for; undefined if it asks for none. */
  deliveryOf(model: string): Delivery | undefined;
  /** Returns how many records the model can take from a queue now. */
  capacityOf(model: string, aheadMs: number): number;
}

interface Consumed {
  readonly wanted: Delivery;
  readonly chosen: ChosenDelivery;
  readonly consumer: RequestConsumer;
}

/** The consumers of request topics: one for each model that has an available version. */
export class ModelConsumers {
  readonly #consumers = new Map<string, Consumed>();
  readonly #nodes: LiveNodes;
  readonly #stepBack: StepBack;
  #isFollowing = false;

  constructor(
    readonly foundation: Foundation,
    readonly requestParts: RequestParts,
    readonly models: ServedModels,
  ) {
    const { id: node, config, kafka, log } = foundation;
    this.#nodes = new LiveNodes(kafka, config, log);
    this.#stepBack = new StepBack(this.#nodes, { node, prefix: config.prefix });
  }

  get isEmpty(): boolean {
    return this.#consumers.size === 0;
  }

  get owned(): OwnedPartition[] {
    return [...this.#consumers.values()].flatMap(({ consumer }) => consumer.owned);
  }

  /** Returns how a model's requests are delivered; undefined while they are not consumed. */
  deliveryOf(model: string): ChosenDelivery | undefined {
    return this.#consumers.get(model)?.chosen;
  }

  /** Starts or stops consuming a model's requests. @param isAvailable true if a version of it is available */
  async follow(model: string, isAvailable: boolean): Promise<void> {
    const consumed = this.#consumers.get(model);
    const wanted = this.models.deliveryOf(model) ?? this.foundation.config.delivery;
    if (consumed && (!isAvailable || consumed.wanted !== wanted)) {
      this.#consumers.delete(model);
      await consumed.consumer.close();
    }
    if (isAvailable && !this.#consumers.has(model)) await this.#consume(model, wanted);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers.values()].map(({ consumer }) => consumer.close()));
    await this.#nodes.close();
  }

  async #consume(model: string, wanted: Delivery): Promise<void> {
    const { config, admin, log, schemas, lifecycle, outage } = this.foundation;
    const available = <T>(work: () => Promise<T>): Promise<T> =>
      untilAvailable(work, outage, lifecycle.closing);
    const chosen = await available(() => chooseDelivery(wanted, admin));
    const specs = modelTopics(model, config, chosen.delivery);
    await available(() => this.#ensureTopics(model, specs));
    const names = specs.map(({ topic }) => topic);
    await unlessAborted(lifecycle.closing, checkRecordLimits(admin, names, config.maxRecordBytes, log));
    schemas?.announce(model);
    const consumer = await available(() => this.#startAsGrouped(model, wanted, chosen));
    this.#announce(model, consumer);
  }

  #announce(model: string, { delivery, note }: ChosenDelivery): void {
    const { log } = this.foundation;
    if (note !== undefined) log.warn({ model, delivery, reason: note }, 'delivery is not as configured');
    else if (delivery === 'queue') log.info({ model }, 'requests are delivered as a queue, in any order');
    if (delivery === 'queue' && !this.#isFollowing) void this.#followNodes();
  }

  /** Follows the other nodes, once there is a queue that is shared with them. */
  #followNodes(): Promise<void> {
    this.#isFollowing = true;
    const { topics, lifecycle } = this.foundation;
    const unreadable = 'node directory cannot be read; a slow node does not step back from queues';
    return startFollowing(this.#nodes, { topic: topics.nodes, unreadable }, this.foundation).catch(
      (error: unknown) => lifecycle.fail(error as Error),
    );
  }

  /** Creates the topics of a model. Without its request topic there is nothing to serve; the others are optional. */
  async #ensureTopics(model: string, specs: readonly TopicSpec[]): Promise<void> {
    const { admin, topics } = this.foundation;
    const requests = topics.requests(model);
    const refused = await ensureTopics(admin, specs);
    const cause = refused.find(({ topic }) => topic === requests)?.error;
    if (cause) throw new KafkaError('not-authorized', missing(requests), { cause });
  }

  /** Starts to consume; if the group exists with the other type, as that type. @returns how */
  async #startAsGrouped(model: string, wanted: Delivery, chosen: ChosenDelivery): Promise<ChosenDelivery> {
    try {
      await this.#start(model, wanted, chosen);
      return chosen;
    } catch (cause) {
      const other = followGroup(chosen, this.foundation.topics.group(model), cause);
      if (!other) throw cause;
      await this.#start(model, wanted, other);
      return other;
    }
  }

  async #start(model: string, wanted: Delivery, chosen: ChosenDelivery): Promise<void> {
    const { foundation, requestParts } = this;
    foundation.lifecycle.closing.throwIfAborted();
    const share = foundation.inFlight.share();
    const capacity = (aheadMs: number): number =>
      this.#stepBack.limit(model, this.models.capacityOf(model, aheadMs));
    const consumed = { model, share, capacity };
    try {
      const consumer = await createRequestConsumer(chosen.delivery, consumed, foundation, requestParts);
      this.#consumers.set(model, { wanted, chosen, consumer });
      await consumer.start();
    } catch (cause) {
      this.#consumers.delete(model);
      share.end();
      throw this.#explained(cause, model);
    }
  }

  /** Names the right that is missing if the group or the topic refuses this node. */
  #explained(cause: unknown, model: string): unknown {
    if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
    const { topics } = this.foundation;
    const isGroup = /group/i.test(cause.message);
    const resource = isGroup ? `group ${topics.group(model)}` : `topic ${topics.requests(model)}`;
    const operation = cause.message.startsWith('ALTER_CONFIGS') ? 'ALTER_CONFIGS' : 'READ';
    return new KafkaError(cause.kind, lacking('node', operation, resource, cause.message), { cause });
  }
}

function missing(topic: string): string {
  const reason = 'it does not exist and may not be created, or may not be described';
  return lacking('node', 'READ', `topic ${topic}`, reason);
}
