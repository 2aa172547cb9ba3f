import { deadLetterTopic, type BindingDefinition } from '../../../cluster/bindings/definition.js';
import type { KnownNode } from '../../../cluster/node-directory.js';
import { topicNames } from '../../../cluster/topics.js';
import type { TopicSettings } from '../../../kafka/inspector.js';
import { isModelName } from '../../../schemas/model-name.js';
import { TOPIC_SETTINGS, type ExaminedTopic, type TopicRole } from '../checks/topics.js';
import type { DoctorContext } from '../facts.js';
import { settle } from '../queries.js';

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
export async function collectTopics(
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
    ...names.state.map((topic): [string, TopicRole] => [topic, 'own']),
    [names.cancellations, 'cancellations'],
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
