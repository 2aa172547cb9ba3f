import { deadLetterTopic } from '../../../cluster/bindings/definition.js';
import type { AppliedBinding } from '../../../cluster/bindings/store.js';
import type { KnownNode } from '../../../cluster/node-directory.js';
import { topicNames, type TopicNames } from '../../../cluster/topics.js';
import type { KafkaAdmin } from '../../../kafka/port.js';
import { groupPositions, lagOf, type GroupPosition, readPositions } from '../../../kafka/reading/lag.js';
import type { PartitionView, TopicView } from '../../api/views.js';

/** A topic to read, with the group that reads it. */
interface WantedTopic extends Pick<TopicView, 'topic' | 'role' | 'reader'> {
  readonly group?: string | undefined;
}

const TOPICS_AT_ONCE = 8;

/**
 * Reads the cluster's topics with their lag.
 * @throws KafkaError if the cluster cannot be reached
 */
export async function readTopics(
  admin: KafkaAdmin,
  prefix: string,
  bindings: readonly AppliedBinding[],
  nodes: readonly KnownNode[],
): Promise<TopicView[]> {
  const wanted = wantedTopics(await admin.listTopics(), topicNames(prefix), bindings);
  const owners = ownersOf(nodes);
  const views: TopicView[] = [];
  for (let start = 0; start < wanted.length; start += TOPICS_AT_ONCE)
    views.push(
      ...(await Promise.all(
        wanted.slice(start, start + TOPICS_AT_ONCE).map((topic) => readTopic(admin, topic, owners)),
      )),
    );
  return views;
}

function wantedTopics(
  existing: readonly string[],
  names: TopicNames,
  bindings: readonly AppliedBinding[],
): WantedTopic[] {
  const ofBindings = bindings.flatMap(({ definition }): WantedTopic[] => [
    {
      topic: definition.source.topic,
      role: 'binding source',
      reader: definition.name,
      group: names.bindingGroup(definition.name),
    },
    { topic: deadLetterTopic(definition), role: 'dead letters', reader: null },
  ]);
  const own = existing
    .filter((topic) => topic.startsWith(`${names.prefix}.`))
    .map((topic) => roleOf(topic, names));
  const present = new Set(existing);
  const named = new Set(own.map(({ topic }) => topic));
  return [...own, ...ofBindings.filter(({ topic }) => present.has(topic) && !named.has(topic))].sort(
    (one, other) => one.topic.localeCompare(other.topic),
  );
}

function roleOf(topic: string, names: TopicNames): WantedTopic {
  const model = names.modelOf(topic);
  if (model !== undefined) return { topic, role: 'requests', reader: model, group: names.group(model) };
  if (names.modelOfDeadLetters(topic) !== undefined) return { topic, role: 'dead letters', reader: null };
  const isReplies =
    topic.endsWith('.replies') || topic === names.clientReplies || topic === names.deferredReplies;
  return { topic, role: isReplies ? 'replies' : 'cluster', reader: null };
}

async function readTopic(
  admin: KafkaAdmin,
  { topic, role, reader, group }: WantedTopic,
  owners: ReadonlyMap<string, string>,
): Promise<TopicView> {
  const positions =
    group === undefined
      ? groupPositions(await admin.offsets(topic), [])
      : await readPositions(admin, group, topic);
  return {
    topic,
    role,
    reader,
    records: positions.reduce((sum, { start, end }) => sum + end - start, 0),
    lag: group === undefined ? null : lagOf(positions),
    partitions: positions
      .map((position) =>
        partitionView(position, group !== undefined, owners.get(`${topic}/${position.partition}`)),
      )
      .sort((one, other) => one.partition - other.partition),
  };
}

function partitionView(position: GroupPosition, hasGroup: boolean, owner: string | undefined): PartitionView {
  const { partition, start, end, committed } = position;
  return {
    partition,
    start,
    end,
    committed: committed < 0 ? null : committed,
    lag: hasGroup ? lagOf([position]) : null,
    owner: owner ?? null,
  };
}

function ownersOf(nodes: readonly KnownNode[]): Map<string, string> {
  return new Map(
    nodes
      .filter(({ alive }) => alive)
      .flatMap(({ node, partitions }) =>
        partitions.map(({ topic, partition }): [string, string] => [`${topic}/${partition}`, node]),
      ),
  );
}
