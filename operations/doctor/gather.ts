import { deadLetterTopic, type BindingDefinition } from '../../cluster/bindings/definition.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaInspector, TopicSettings } from '../../kafka/inspector.js';
import { groupPositions, type GroupPosition } from '../../kafka/reading/lag.js';
import type { KafkaAdmin, KafkaClient } from '../../kafka/port.js';
import {
  readStatuses,
  withoutForgotten,
  type ReportedStatus,
  type KnownNode,
} from '../../cluster/node-directory.js';
import { sleep } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';
import { isModelName } from '../../schemas/model-name.js';
import { RegistryError, SchemaRegistry } from '../../schemas/registry/client.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA } from '../../schemas/registry/self-contained.js';
import type { ExaminedGroup } from './checks/groups.js';
import {
  needsSecondReading,
  classifyByBroker,
  classifyByClock,
  newestOf,
  type Beats,
  type ClassifiedNode,
} from './checks/nodes.js';
import type { RegistryFacts, SubjectFacts } from './checks/registry.js';
import { TOPIC_SETTINGS, type ExaminedTopic, type TopicRole } from './checks/topics.js';
import { settle } from './queries.js';

/** Clients, configuration and limits of one examination. */
export interface DoctorContext {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly inspector: KafkaInspector;
  readonly config: Config;
  /** The longest deadline that senders set, milliseconds. */
  readonly deadlineMs: number;
}

const TIMESTAMPS = 'message.timestamp.type';
/** Two and a half heartbeat intervals. */
const WATCH_MS = 5_000;

/** Lists models that have a request topic or are served. Any client may write to the node topic, so invalid names are left out. */
export function modelsOf(
  prefix: string,
  topics: readonly string[],
  nodes: readonly { readonly alive: boolean; readonly models: KnownNode['models'] }[],
): string[] {
  const names = topicNames(prefix);
  const withTopics = topics.flatMap((topic) => names.modelOf(topic) ?? []);
  const served = nodes
    .filter(({ alive }) => alive)
    .flatMap(({ models }) => models.filter(({ state }) => state === 'AVAILABLE').map(({ model }) => model));
  return [...new Set([...withTopics, ...served.filter(isModelName)])].sort();
}

/** Describes all topics that the cluster needs, with their roles. */
export async function examineTopics(
  { inspector, config }: DoctorContext,
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): Promise<ExaminedTopic[]> {
  const wanted = wantedTopics(config.prefix, models, bindings);
  const described = await inspector.describeTopics([...new Set(wanted.map(([topic]) => topic))]);
  return Promise.all(
    wanted.map(async ([topic, role]) => {
      const facts = described.find((found) => found.topic === topic);
      const settings = facts
        ? await settle(() => inspector.topicSettings(topic, TOPIC_SETTINGS))
        : NO_SETTINGS;
      return { topic, role, facts, settings };
    }),
  );
}

const NO_SETTINGS: TopicSettings = { values: new Map(), own: new Set() };

function wantedTopics(
  prefix: string,
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): [string, TopicRole][] {
  const names = topicNames(prefix);
  return [
    ...names.own.map((topic): [string, TopicRole] => [topic, 'own']),
    [names.clientReplies, 'client replies'],
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
}

/** Describes the groups of the existing topics, each independently. */
export async function examineGroups(
  { inspector, admin, config }: DoctorContext,
  topics: readonly ExaminedTopic[],
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): Promise<ExaminedGroup[]> {
  const names = topicNames(config.prefix);
  const wanted = [
    ...models.map((model) => ({ group: names.group(model), topic: names.requests(model) })),
    ...bindings.map(({ name, source }) => ({ group: names.bindingGroup(name), topic: source.topic })),
  ];
  const existing = new Set(topics.filter(({ facts }) => facts).map(({ topic }) => topic));
  return Promise.all(
    wanted
      .filter(({ topic }) => existing.has(topic))
      .map(async ({ group, topic }) => ({
        group,
        topic,
        // Offsets need more rights than the group state.
        facts: await settle(() => inspector.describeGroup(group)),
        partitions: await settle(() => positionsOf(admin, group, topic)),
      })),
  );
}

/** Reads committed offsets before end offsets: they advance meanwhile and must not appear to be beyond the end. */
async function positionsOf(admin: KafkaAdmin, group: string, topic: string): Promise<GroupPosition[]> {
  const committed = await admin.committed(group, topic);
  return groupPositions(await admin.offsets(topic), committed);
}

/** Reads the nodes, their liveness, and their heartbeats by both clocks. */
export async function examineNodes(
  context: DoctorContext,
): Promise<{ nodes: ClassifiedNode[]; beats: Beats }> {
  const { inspector, kafka, config } = context;
  const topic = topicNames(config.prefix).nodes;
  const settings = await settle(() => inspector.topicSettings(topic, [TIMESTAMPS]));
  const statuses = withoutForgotten(await readStatuses(kafka, config), config);
  const readAt = Date.now();
  if (settings instanceof Error || settings.values.get(TIMESTAMPS) !== 'LogAppendTime') {
    const beats = settings instanceof Error ? settings : undefined;
    return { nodes: classifyByClock(statuses, readAt), beats: { topic, beats, readAt } };
  }
  if (!needsSecondReading(statuses, readAt)) return nodesWithBeats(topic, statuses, true, readAt);
  await sleep(WATCH_MS);
  const later = withoutForgotten(await readStatuses(kafka, config), config);
  return nodesWithBeats(topic, later, newestOf(later) > newestOf(statuses), Date.now());
}

function nodesWithBeats(
  topic: string,
  statuses: readonly ReportedStatus[],
  isBeating: boolean,
  readAt: number,
): { nodes: ClassifiedNode[]; beats: Beats } {
  const nodes = classifyByBroker(statuses, isBeating, readAt);
  const alive = new Set(nodes.filter((node) => node.alive).map(({ node }) => node));
  const beats = statuses
    .filter(({ status }) => alive.has(status.node))
    .map(({ status, recordedAt }) => ({ node: status.node, beatAt: status.beatAt, appendedAt: recordedAt }));
  return { nodes, beats: { topic, beats, readAt } };
}

/** Reads the subjects of these models from the registry; undefined if none is configured. */
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
