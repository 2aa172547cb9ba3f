import { deadLetterTopic } from '../../cluster/bindings/definition.js';
import { readBindings } from '../../cluster/bindings/store.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient } from '../../kafka/port.js';
import { DeadLetterTopics } from './topics.js';

/**
 * Classifies topics by the bindings that are applied now.
 * @param ownOnly true to refuse topics of other programs
 * @throws KafkaError if the cluster cannot be reached
 */
export async function readDeadLetterTopics(
  kafka: KafkaClient,
  config: Config,
  ownOnly = false,
): Promise<DeadLetterTopics> {
  const ofBindings = new Map<string, Set<string>>();
  for (const { definition } of (await readBindings(kafka, config)).values()) {
    const topic = deadLetterTopic(definition);
    ofBindings.set(topic, (ofBindings.get(topic) ?? new Set()).add(definition.source.topic));
  }
  return new DeadLetterTopics(topicNames(config.prefix), ofBindings, ownOnly);
}
