import type { Config } from '../core/config/config.js';
import type { TopicSpec } from '../kafka/port.js';
import { topicNames } from './topics.js';

/** Room that a dead letter's extra headers need on top of the largest record that a request topic takes. */
const DEAD_LETTER_HEADROOM_BYTES = 64 * 1024;
/** A request topic takes what is too large for Partitura, so that its sender is told instead of left alone. */
const RECORD_HEADROOM = 8;

export type TopicConfig = Pick<Config, 'prefix' | 'partitions' | 'replicationFactor' | 'maxRecordBytes'>;

/** The topics of one model. */
export function modelTopics(
  model: string,
  { prefix, partitions, replicationFactor, maxRecordBytes }: TopicConfig,
): TopicSpec[] {
  const names = topicNames(prefix);
  const largest = maxRecordBytes * RECORD_HEADROOM;
  const sized = (bytes: number): Record<string, string> => ({ 'max.message.bytes': String(bytes) });
  return [
    { topic: names.requests(model), partitions, replicationFactor, config: sized(largest) },
    { topic: names.replies(model), partitions, replicationFactor, config: sized(largest) },
    {
      topic: names.deadLetters(model),
      partitions,
      replicationFactor,
      config: sized(largest + DEAD_LETTER_HEADROOM_BYTES),
    },
  ];
}

/** The topics that a cluster has once. */
export function clusterTopics({
  prefix,
  partitions,
  replicationFactor,
  maxRecordBytes,
}: TopicConfig): TopicSpec[] {
  const names = topicNames(prefix);
  // The broker's clock beside what nodes say of theirs lets `partitura doctor` compare them.
  const config = { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' };
  const compacted = { partitions: 1, replicationFactor, config };
  return [
    ...names.own.map((topic) => ({ topic, ...compacted })),
    {
      topic: names.clientReplies,
      partitions,
      replicationFactor,
      config: { 'max.message.bytes': String(maxRecordBytes * 2), 'retention.ms': String(60 * 60_000) },
    },
  ];
}
