import type { Delivery } from '../../core/config/node.js';
import type { KafkaConsumer } from '../../kafka/port.js';
import { nodeReadLimits } from '../../kafka/record-batches/read-limits.js';
import type { OwnedPartition } from '../../schemas/generated.js';
import type { InFlightShare } from '../records/in-flight.js';
import { QueueConsumer } from '../records/queue-consumer.js';
import { DEFAULT_DELIVERY_LIMIT } from '../records/delivery-limit.js';
import { RecordConsumer } from '../records/record-consumer.js';
import { Requests, type RequestParts } from '../requests/requests.js';
import type { Foundation } from './foundation.js';

const DELIVERY_LIMIT = 'group.share.delivery.count.limit';

/** A consumer of a model's requests, from a consumer group or from a share group. */
export interface RequestConsumer {
  readonly owned: readonly OwnedPartition[];
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A model whose requests are consumed. */
export interface ConsumedModel {
  readonly model: string;
  readonly share: InFlightShare;
  readonly capacity: (aheadMs: number) => number;
}

/** Creates the consumer of a model's requests. */
export async function createRequestConsumer(
  delivery: Delivery,
  consumed: ConsumedModel,
  foundation: Foundation,
  parts: RequestParts,
): Promise<RequestConsumer> {
  const requests = new Requests(consumed.model, parts);
  return delivery === 'queue'
    ? createQueueConsumer(consumed, foundation, requests)
    : createOrderedConsumer(consumed, foundation, requests);
}

function createOrderedConsumer(
  { model, share: inFlight }: ConsumedModel,
  foundation: Foundation,
  requests: Requests,
): RequestConsumer {
  const { config, admin, topics, metrics, spans, log } = foundation;
  const { ordered, commitIntervalMs, drainTimeoutMs } = config;
  const group = topics.group(model);
  const readPositions = (): ReturnType<typeof admin.committed> =>
    admin.committed(group, topics.requests(model));
  const options = {
    ...flowOptions(model, foundation),
    ordered,
    commitIntervalMs,
    drainTimeoutMs,
    now: Date.now,
  };
  const consumer = kafkaConsumer(model, foundation);
  return new RecordConsumer(consumer, requests, options, { inFlight, readPositions, metrics, spans, log });
}

function kafkaConsumer(model: string, { config, kafka, topics }: Foundation): KafkaConsumer {
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

async function createQueueConsumer(
  { model, share: inFlight, capacity }: ConsumedModel,
  foundation: Foundation,
  requests: Requests,
): Promise<RequestConsumer> {
  const { config, kafka, admin, topics, metrics, spans, log } = foundation;
  const [group, topic] = [topics.group(model), topics.requests(model)];
  const { drainTimeoutMs, fetchMaxBytes } = config;
  const deliveryLimit = await readDeliveryLimit(foundation);
  const options = { ...flowOptions(model, foundation), drainTimeoutMs, deliveryLimit, now: Date.now };
  const consumer = kafka.shareConsumer({ group, topic, fetchMaxBytes, readLimits: nodeReadLimits(config) });
  const readLag = (): ReturnType<typeof admin.shareGroupLag> => admin.shareGroupLag(group, topic);
  return new QueueConsumer(consumer, requests, options, { inFlight, capacity, readLag, metrics, spans, log });
}

function flowOptions(
  model: string,
  { topics, lifecycle }: Foundation,
): { model: string; group: string; onStopped: (error: Error) => void } {
  return { model, group: topics.group(model), onStopped: (error) => lifecycle.fail(error) };
}

/** Reads after how many deliveries brokers archive a record; without the right to read it, Kafka's default is assumed. */
async function readDeliveryLimit({ admin, log }: Foundation): Promise<number> {
  const settings = await admin.brokerSettings([DELIVERY_LIMIT]).catch((error: unknown) => {
    log.debug({ err: error }, `${DELIVERY_LIMIT} cannot be read; assuming ${DEFAULT_DELIVERY_LIMIT}`);
    return new Map<string, string>();
  });
  return Number(settings.get(DELIVERY_LIMIT) ?? DEFAULT_DELIVERY_LIMIT);
}
