import { PartituraError } from '../../schemas/errors.js';
import type { TopicNames } from '../topics.js';
import { deadLetterTopic, type BindingDefinition } from './definition.js';

/**
 * Refuses a binding that writes to topics which the cluster needs for other things.
 * @throws PartituraError INVALID_REQUEST that names the field
 */
export function refuseReservedTopics(definition: BindingDefinition, names: TopicNames): void {
  const written = { 'output.topic': definition.output.topic, deadLetters: deadLetterTopic(definition) };
  for (const [field, topic] of Object.entries(written)) {
    const isReserved =
      topic.startsWith('__') ||
      names.own.includes(topic) ||
      topic === names.clientReplies ||
      names.modelOf(topic) !== undefined;
    if (isReserved)
      throw new PartituraError(
        'INVALID_REQUEST',
        `${field}: expected a topic of your own, got '${topic}', which is kept for other things`,
      );
  }
}

/**
 * Refuses a binding whose results or dead letters would come back to it by way of others: nothing would ever end.
 * @throws PartituraError INVALID_REQUEST that tells the way
 */
export function refuseCircle(definition: BindingDefinition, others: Iterable<BindingDefinition>): void {
  const next = new Map<string, BindingDefinition[]>();
  for (const other of others)
    if (other.name !== definition.name)
      next.set(other.source.topic, [...(next.get(other.source.topic) ?? []), other]);
  const seen = new Set<string>();
  const follow = (topic: string, way: readonly string[]): void => {
    if (topic === definition.source.topic)
      throw new PartituraError(
        'INVALID_REQUEST',
        `topics: expected none that leads back to the source, got ${[definition.source.topic, ...way].join(' → ')}`,
      );
    if (seen.has(topic)) return;
    seen.add(topic);
    for (const other of next.get(topic) ?? []) for (const to of writtenBy(other)) follow(to, [...way, to]);
  };
  for (const to of writtenBy(definition)) follow(to, [to]);
}

function writtenBy(definition: BindingDefinition): string[] {
  return [definition.output.topic, deadLetterTopic(definition)];
}
