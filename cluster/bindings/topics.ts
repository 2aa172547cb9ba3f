import { invalidRequest } from '../../schemas/errors.js';
import type { TopicNames } from '../topics.js';
import { wildcard } from '../../schemas/headers/wildcard.js';
import { deadLetterTopic, type BindingDefinition } from './definition.js';

/**
 * Rejects a binding on Partitura's or Kafka's own topics: bindings run with the permissions of the nodes.
 * @throws PartituraError INVALID_REQUEST that names the field
 */
export function refuseReservedTopics(definition: BindingDefinition, { prefix }: TopicNames): void {
  for (const [field, topic] of Object.entries(topicsOf(definition)))
    if (topic.startsWith('__') || topic.startsWith(`${prefix}.`))
      throw invalidRequest(
        `${field}: expected a topic that is not reserved for ${topic.startsWith('__') ? 'Kafka' : 'Partitura'}, got '${topic}'`,
      );
}

/**
 * Rejects a binding on topics that the nodes do not allow for bindings.
 * @param patterns from `PARTITURA_BINDING_TOPICS`
 * @throws PartituraError INVALID_REQUEST that names the field and the option
 */
export function refuseTopicsNotAllowed(definition: BindingDefinition, patterns: readonly string[]): void {
  const allowed = patterns.map(wildcard);
  for (const [field, topic] of Object.entries(topicsOf(definition)))
    if (!allowed.some((pattern) => pattern.test(topic)))
      throw invalidRequest(
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
 * Rejects a binding whose results or dead letters would return to it through other bindings, endlessly.
 * @throws PartituraError INVALID_REQUEST that shows the cycle
 */
export function refuseCircle(definition: BindingDefinition, others: Iterable<BindingDefinition>): void {
  const next = new Map<string, BindingDefinition[]>();
  for (const other of others)
    if (other.name !== definition.name)
      next.set(other.source.topic, [...(next.get(other.source.topic) ?? []), other]);
  const seen = new Set<string>();
  const follow = (topic: string, way: readonly string[]): void => {
    if (topic === definition.source.topic)
      throw invalidRequest(
        `topics: expected no cycle back to the source, got ${[definition.source.topic, ...way].join(' → ')}`,
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
