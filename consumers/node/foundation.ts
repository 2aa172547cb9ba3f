import { randomUUID } from 'node:crypto';
import { topicNames, type TopicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { OutageLink } from '../../kafka/errors/outages.js';
import type { KafkaAdmin, KafkaClient, KafkaProducer, KafkaRecord } from '../../kafka/port.js';
import { Outbox, OUTBOX_DEFAULTS } from '../../kafka/sending/outbox.js';
import { RecordFit } from '../../kafka/sending/record-fit.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import { InFlight } from '../records/in-flight.js';
import { createNodeMetrics, type NodeMetrics } from '../records/metrics.js';
import type { RecordSpans } from '../records/record-spans.js';
import { RegisteredSchemas } from '../requests/registered-schemas.js';
import { Destinations } from '../requests/replies/destinations.js';
import { Lifecycle } from './lifecycle.js';

/** The parts of a node that depend on no model: connections, limits, metrics and names. */
export interface Foundation {
  readonly id: string;
  readonly config: Config;
  readonly log: Logger;
  readonly kafka: KafkaClient;
  readonly topics: TopicNames;
  readonly lifecycle: Lifecycle;
  readonly outage: OutageLink;
  readonly producer: KafkaProducer;
  readonly admin: KafkaAdmin;
  readonly outbox: Outbox;
  readonly recordFit: RecordFit;
  readonly destinations: Destinations;
  /** Undefined without a schema registry. */
  readonly registry: SchemaRegistry | undefined;
  readonly schemas: RegisteredSchemas | undefined;
  readonly inFlight: InFlight;
  readonly metrics: NodeMetrics;
  readonly spans: RecordSpans;
}

/** Returns a node name for a configuration that sets none. */
export function newNodeId(): string {
  return `node-${randomUUID().slice(0, 8)}`;
}

export function createFoundation(
  config: Config,
  kafka: KafkaClient,
  log: Logger,
  spans: RecordSpans,
): Foundation {
  const id = config.nodeId ?? newNodeId();
  const topics = topicNames(config.prefix);
  const admin = kafka.admin();
  const producer = kafka.producer();
  const destinations = new Destinations(admin, { probeTopic: topics.nodes });
  const recordFit = new RecordFit(admin);
  const outbox = new Outbox(
    producer,
    { ...OUTBOX_DEFAULTS, retryLimitMs: Infinity, outage: kafka.outages.link() },
    { missingOf: (names) => destinations.missing(names), fits: (record) => recordFit.check(record) },
  );
  const inFlight = new InFlight(config.maxInflightRequests, config.maxInflightBytes);
  const connections = {
    kafka,
    outage: kafka.outages.link(),
    producer,
    admin,
    outbox,
    recordFit,
    destinations,
  };
  const watching = { lifecycle: new Lifecycle(log), metrics: createNodeMetrics(inFlight), spans, log };
  return { id, config, topics, inFlight, ...connections, ...watching, ...createSchemas(config, topics, log) };
}

function createSchemas(
  { schemaRegistryUrl: url, schemaRegistryUserInfo, schemaRegistryAutoRegister: autoRegister }: Config,
  topics: TopicNames,
  log: Logger,
): Pick<Foundation, 'registry' | 'schemas'> {
  if (url === undefined) return { registry: undefined, schemas: undefined };
  const registry = new SchemaRegistry(url, schemaRegistryUserInfo);
  return { registry, schemas: new RegisteredSchemas(registry, { topics, autoRegister, log }) };
}

/** Counts and logs a dead letter. */
export function noteDeadLetter(
  { metrics, log }: Pick<Foundation, 'metrics' | 'log'>,
  reason: string,
  { topic, partition, offset, headers }: KafkaRecord,
  message: string,
): void {
  const correlation = detectDialect(headers).read(headers).correlation?.toString('utf8');
  metrics.deadLetters.inc({ reason });
  log.warn({ topic, partition, offset, correlation, reason, message }, 'dead letter published');
}
