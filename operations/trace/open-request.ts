import { readNodes } from '../../cluster/node-directory.js';
import { topicNames } from '../../cluster/topics.js';
import type { SearchedCluster, TraceMatch } from './search.js';

/** Describes the state of a request without an outcome, as far as committed offsets show. */
export async function stateOf(
  { kafka, admin, config }: SearchedCluster,
  { record, role, model }: TraceMatch,
): Promise<string> {
  const { topic, partition, offset } = record;
  const place = `${topic} ${partition}/${offset}`;
  if (role !== 'request' || model === undefined) return `${place}: no result found`;
  const group = topicNames(config.prefix).group(model);
  const positions = await admin.committed(group, topic);
  const position = positions.find((found) => found.partition === partition)?.offset ?? -1;
  if (position > offset)
    return `${place}: finished (group ${group} is at ${position}), but none of the searched topics has its reply`;
  const nodes = await readNodes(kafka, config, Date.now());
  const owner = nodes.find(
    ({ alive, partitions }) =>
      alive && partitions.some((owned) => owned.topic === topic && owned.partition === partition),
  );
  const ahead = offset - Math.max(position, 0);
  return `${place}: waiting behind ${ahead} records; ${owner ? `partition assigned to ${owner.node}` : 'partition not assigned to any node'}`;
}
