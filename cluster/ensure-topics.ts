import { KafkaError, type KafkaAdmin, type TopicSpec } from '../kafka/port.js';

/** A topic that appears to be missing and may not be created. */
export interface RefusedTopic {
  readonly topic: string;
  readonly error: KafkaError;
}

/**
 * Creates missing topics. CREATE is a separate permission and not needed for existing topics: a topic that may be
 * used but not described appears to be missing, too.
 * @returns the topics that may not be created
 * @throws KafkaError for other reasons
 */
export async function ensureTopics(
  admin: Pick<KafkaAdmin, 'createTopics'>,
  topics: readonly TopicSpec[],
): Promise<RefusedTopic[]> {
  const error = await refusal(admin, topics);
  if (!error) return [];
  const [only] = topics;
  if (topics.length === 1 && only) return [{ topic: only.topic, error }];
  const refused: RefusedTopic[] = [];
  for (const spec of topics) refused.push(...(await ensureTopics(admin, [spec])));
  return refused;
}

async function refusal(
  admin: Pick<KafkaAdmin, 'createTopics'>,
  topics: readonly TopicSpec[],
): Promise<KafkaError | undefined> {
  try {
    await admin.createTopics(topics);
    return undefined;
  } catch (error) {
    if (error instanceof KafkaError && error.kind === 'not-authorized') return error;
    throw error;
  }
}
