import { deadLetterTopic, type BindingDefinition } from '../../core/bindings/definition.js';
import type { Config } from '../../core/config.js';
import type { KafkaInspector } from '../../core/kafka/inspector.js';
import type { KafkaAdmin, KafkaClient } from '../../core/kafka/port.js';
import { readTopic } from '../../core/kafka/read-topic.js';
import type { KnownNode } from '../../core/node-directory.js';
import { topicNames } from '../../core/topics.js';
import { decodeNodeStatus } from '../../schemas/framing/single-object.js';
import { RegistryError, SchemaRegistry } from '../../schemas/registry/client.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../schemas/registry/self-contained.js';
import type { ExaminedGroup } from './checks/groups.js';
import type { Beat, Beats } from './checks/nodes.js';
import type { RegistryFacts, SubjectFacts } from './checks/registry.js';
import { TOPIC_SETTINGS, type ExaminedTopic, type TopicRole } from './checks/topics.js';

/** What is looked at, and by what. */
export interface Patient {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly inspector: KafkaInspector;
  readonly config: Config;
  /** The longest that senders give their requests, milliseconds. */
  readonly deadlineMs: number;
}

const READ_LIMIT_MS = 15_000;

/** Models that have a topic of requests, or are served. */
export async function modelsOf({ admin, config }: Patient, nodes: readonly KnownNode[]): Promise<string[]> {
  const names = topicNames(config.prefix);
  const withTopics = (await admin.listTopics()).flatMap((topic) => names.modelOf(topic) ?? []);
  const served = nodes
    .filter(({ alive }) => alive)
    .flatMap(({ models }) => models.filter(({ state }) => state === 'AVAILABLE').map(({ model }) => model));
  return [...new Set([...withTopics, ...served])].sort();
}

/** All topics that the cluster needs, with what they are for. */
export async function examineTopics(
  { inspector, config }: Patient,
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): Promise<ExaminedTopic[]> {
  const names = topicNames(config.prefix);
  const wanted: [string, TopicRole][] = [
    ...names.own.map((topic): [string, TopicRole] => [topic, 'own']),
    ...models.flatMap((model): [string, TopicRole][] => [
      [names.requests(model), 'requests'],
      [names.replies(model), 'replies'],
      [names.deadLetters(model), 'dead letters'],
    ]),
    ...bindings.flatMap((binding): [string, TopicRole][] => [
      [binding.source.topic, 'requests'],
      [deadLetterTopic(binding), 'dead letters'],
    ]),
  ];
  const described = await inspector.describeTopics([...new Set(wanted.map(([topic]) => topic))]);
  return Promise.all(
    wanted.map(async ([topic, role]) => {
      const facts = described.find((found) => found.topic === topic);
      const settings = facts
        ? await inspector.topicSettings(topic, TOPIC_SETTINGS).catch(() => new Map<string, string>())
        : new Map<string, string>();
      return { topic, role, facts, settings };
    }),
  );
}

export async function examineGroups(
  { inspector, admin, config }: Patient,
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): Promise<ExaminedGroup[]> {
  const names = topicNames(config.prefix);
  const wanted = [
    ...models.map((model) => ({ group: names.group(model), topic: names.requests(model) })),
    ...bindings.map(({ name, source }) => ({ group: names.bindingGroup(name), topic: source.topic })),
  ];
  const existing = new Set(await admin.listTopics());
  return Promise.all(
    wanted
      .filter(({ topic }) => existing.has(topic))
      .map(async ({ group, topic }) => {
        const committed = await admin.committed(group, topic);
        const partitions = (await admin.offsets(topic)).map((offsets) => ({
          ...offsets,
          committed: committed.find(({ partition }) => partition === offsets.partition)?.offset ?? -1,
        }));
        return { facts: await inspector.describeGroup(group), topic, partitions };
      }),
  );
}

/** The latest signs of life of the nodes that are alive, by both clocks; undefined when the broker's is not in them. */
export async function readBeats(
  { kafka, config }: Patient,
  nodes: readonly KnownNode[],
  topics: readonly ExaminedTopic[],
): Promise<Beats> {
  const topic = topicNames(config.prefix).nodes;
  const settings = topics.find((found) => found.topic === topic)?.settings;
  if (settings?.get('message.timestamp.type') !== 'LogAppendTime')
    return { topic, beats: undefined, readAt: 0 };
  const { fetchMaxBytes } = config;
  const records = await readTopic(kafka, topic, { limitMs: READ_LIMIT_MS, fetchMaxBytes });
  const readAt = Date.now();
  const latest = new Map<string, Beat>();
  for (const { key, value, timestamp } of records.sort((a, b) => a.offset - b.offset)) {
    const node = nodes.find((known) => known.alive && key?.toString('utf8') === known.node)?.node;
    if (node !== undefined && value)
      latest.set(node, { node, beatAt: decodeNodeStatus(value).beatAt, appendedAt: timestamp });
  }
  return { topic, beats: [...latest.values()], readAt };
}

/** What the registry says of the schemas of these models; undefined where none is configured. */
export async function examineRegistry(
  { prefix, schemaRegistryUrl: url, schemaRegistryUserInfo: userInfo }: Config,
  models: readonly string[],
): Promise<RegistryFacts | undefined> {
  if (url === undefined) return undefined;
  const registry = new SchemaRegistry(url, userInfo);
  const { address } = registry;
  const names = topicNames(prefix);
  const startedAt = Date.now();
  const ms = (): number => Date.now() - startedAt;
  const subjects: SubjectFacts[] = [];
  try {
    await registry.subjects();
    const answeredIn = ms();
    for (const model of models) {
      subjects.push(await examineSubject(registry, model, names.requestsSubject(model), REQUEST_SCHEMA));
      subjects.push(await examineSubject(registry, model, names.repliesSubject(model), REPLY_SCHEMA));
    }
    return { address, ms: answeredIn, error: undefined, subjects };
  } catch (cause) {
    return { address, ms: ms(), error: cause as Error, subjects };
  }
}

async function examineSubject(
  registry: SchemaRegistry,
  model: string,
  subject: string,
  schema: typeof REPLY_SCHEMA,
): Promise<SubjectFacts> {
  const isRegistered = await registry.find(subject, schema).then(
    () => true,
    (error: unknown) => {
      if (error instanceof RegistryError && error.kind === 'unknown') return false;
      throw error;
    },
  );
  return { model, subject, isRegistered, compatibility: await registry.compatibility(subject) };
}
