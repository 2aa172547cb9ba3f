import type { BindingDefinition } from '../../../cluster/bindings/definition.js';
import { topicNames } from '../../../cluster/topics.js';
import type { KafkaAdmin } from '../../../kafka/port.js';
import { groupPositions, type GroupPosition } from '../../../kafka/reading/lag.js';
import type { ExaminedGroup } from '../checks/groups.js';
import type { ExaminedTopic } from '../checks/topics.js';
import type { DoctorContext } from '../facts.js';
import { settle } from '../queries.js';

/** Describes the groups of the existing topics, each independently. */
export async function collectGroups(
  { inspector, admin, config }: DoctorContext,
  topics: readonly ExaminedTopic[],
  { models, bindings }: { models: readonly string[]; bindings: readonly BindingDefinition[] },
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
