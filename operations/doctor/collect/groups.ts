import type { BindingDefinition } from '../../../cluster/bindings/definition.js';
import { topicNames } from '../../../cluster/topics.js';
import { readPositions } from '../../../kafka/reading/lag.js';
import type { ExaminedGroup } from '../checks/groups.js';
import type { ClassifiedNode } from '../checks/nodes.js';
import type { ExaminedTopic } from '../checks/topics.js';
import type { DoctorContext } from '../facts.js';
import { settle } from '../queries.js';

/** Models, bindings and nodes that read topics in groups. */
export interface GroupReaders {
  readonly models: readonly string[];
  readonly bindings: readonly BindingDefinition[];
  readonly nodes: readonly ClassifiedNode[];
}

/** Describes the groups of the existing topics, each independently. */
export async function collectGroups(
  { inspector, admin, config }: DoctorContext,
  topics: readonly ExaminedTopic[],
  { models, bindings, nodes }: GroupReaders,
): Promise<ExaminedGroup[]> {
  const names = topicNames(config.prefix);
  const wanted = [
    ...models.map((model) => ({
      group: names.group(model),
      topic: names.requests(model),
      sharingNodes: sharingNodes(model, nodes),
    })),
    ...bindings.map(({ name, source }) => ({
      group: names.bindingGroup(name),
      topic: source.topic,
      sharingNodes: undefined,
    })),
  ];
  const existing = new Set(topics.filter(({ facts }) => facts).map(({ topic }) => topic));
  return Promise.all(
    wanted
      .filter(({ topic }) => existing.has(topic))
      .map(async ({ group, topic, sharingNodes: sharing }) => ({
        group,
        topic,
        sharingNodes: sharing,
        // Offsets need more rights than the group state.
        facts: await settle(() => inspector.describeGroup(group)),
        partitions: await settle(() => readPositions(admin, group, topic)),
      })),
  );
}

/** Returns how many live nodes take a model's requests from a share group; undefined if none does. */
function sharingNodes(model: string, nodes: readonly ClassifiedNode[]): number | undefined {
  const sharing = nodes.filter(
    ({ alive, models }) =>
      alive && models.some((served) => served.model === model && served.delivery === 'queue'),
  );
  return sharing.length === 0 ? undefined : sharing.length;
}
