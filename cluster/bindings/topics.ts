import { PartituraError } from '../../schemas/errors.js';
import type { TopicNames } from '../topics.js';
import { wildcard } from '../../schemas/headers/wildcard.js';
import { deadLetterTopic, type BindingDefinition } from './definition.js';

/**
 * Refuses a binding on topics of the cluster itself or of Kafka: bindings run with the rights of the nodes.
 * @throws PartituraError INVALID_REQUEST that names the field
 */
export function refuseReservedTopics(definition: BindingDefinition, { prefix }: TopicNames): void {
  for (const [field, topic] of Object.entries(topicsOf(definition)))
    if (topic.startsWith('__') || topic.startsWith(`${prefix}.`))
      throw new PartituraError(
        'INVALID_REQUEST',
        `${field}: expected a topic of your own, got '${topic}', which is reserved for ${topic.startsWith('__') ? 'Kafka' : 'Partitura'}`,
      );
}

/**
 * Refuses a binding on topics that the nodes do not allow to bindings.
 * @param patterns of `PARTITURA_BINDING_TOPICS`
 * @throws PartituraError INVALID_REQUEST that names the field and the option
 */
export function refuseTopicsNotAllowed(definition: BindingDefinition, patterns: readonly string[]): void {
  const allowed = patterns.map(wildcard);
  for (const [field, topic] of Object.entries(topicsOf(definition)))
    if (!allowed.some((pattern) => pattern.test(topic)))
      throw new PartituraError(
        'INVALID_REQUEST',
        `${field}: expected a topic that PARTITURA_BINDING_TOPICS of the nodes allows (${patterns.join(', ') || 'none'}), got '${topic}'`,
      );
}

function topicsOf(definition: BindingDefinition): Record<string, string> {
  const { source, output } = definition;
  return {
    'source.topic': source.topic,
    'output.topic': output.topic,
    deadLetters: deadLetterTopic(definition),
  };
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
