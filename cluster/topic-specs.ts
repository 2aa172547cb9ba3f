import type { Config } from '../core/config/config.js';
import type { Delivery } from '../core/config/node.js';
import type { TopicSpec } from '../kafka/port.js';
import { JOBS, topicNames } from './topics.js';

/** Space for a dead letter's extra headers on top of the largest record of a request topic. */
const DEAD_LETTER_HEADROOM_BYTES = 64 * 1024;
/** Request topics accept records larger than Partitura's limit, so that their senders receive an error reply. */
const RECORD_HEADROOM = 8;

/** Cancellations are read from the end of their topic; nobody needs old ones. */
const CANCELLATIONS_KEPT_MS = 10 * 60_000;

const JOBS_KEPT_MS = 7 * 24 * 60 * 60_000;

export type TopicConfig = Pick<
  Config,
  'prefix' | 'partitions' | 'queuePartitions' | 'replicationFactor' | 'maxRecordBytes'
>;

/** Specifies the topics of one model. */
export function modelTopics(
  model: string,
  { prefix, partitions, queuePartitions, replicationFactor, maxRecordBytes }: TopicConfig,
  delivery: Delivery = 'ordered',
): TopicSpec[] {
  const names = topicNames(prefix);
  const largest = maxRecordBytes * RECORD_HEADROOM;
  const sized = (bytes: number): Record<string, string> => ({ 'max.message.bytes': String(bytes) });
  return [
    {
      topic: names.requests(model),
      partitions: delivery === 'queue' ? queuePartitions : partitions,
      replicationFactor,
      config: sized(largest),
    },
    { topic: names.replies(model), partitions, replicationFactor, config: sized(largest) },
    {
      topic: names.deadLetters(model),
      partitions,
      replicationFactor,
      config: sized(largest + DEAD_LETTER_HEADROOM_BYTES),
    },
  ];
}

/** Specifies the topics of split jobs. Finished jobs are forgotten after a week, with their results. */
function jobTopics(config: TopicConfig): TopicSpec[] {
  const names = topicNames(config.prefix);
  const kept = { 'retention.ms': String(JOBS_KEPT_MS) };
  // A job has the topics of a model, except that the one of requests has another name.
  const [requests, replies, deadLetters] = modelTopics(JOBS, config) as [TopicSpec, TopicSpec, TopicSpec];
  return [
    { ...requests, topic: names.jobs, config: { ...requests.config, ...kept } },
    { ...replies, config: { ...replies.config, ...kept } },
    deadLetters,
    {
      topic: names.jobStatus,
      partitions: 1,
      replicationFactor: config.replicationFactor,
      config: { 'cleanup.policy': 'compact,delete', ...kept },
    },
  ];
}

/** Specifies the topics shared by the whole cluster. */
export function clusterTopics(config: TopicConfig): TopicSpec[] {
  const { prefix, partitions, replicationFactor, maxRecordBytes } = config;
  const names = topicNames(prefix);
  // Broker timestamps next to the nodes' own let `partitura doctor` detect clock skew.
  const ofState = { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' };
  const compacted = { partitions: 1, replicationFactor, config: ofState };
  return [
    ...names.state.map((topic) => ({ topic, ...compacted })),
    {
      topic: names.cancellations,
      partitions: 1,
      replicationFactor,
      config: { 'retention.ms': String(CANCELLATIONS_KEPT_MS) },
    },
    ...jobTopics(config),
    {
      topic: names.deferredReplies,
      partitions,
      replicationFactor,
      config: { 'max.message.bytes': String(maxRecordBytes * 2), 'retention.ms': String(24 * 60 * 60_000) },
    },
    {
      topic: names.clientReplies,
      partitions,
      replicationFactor,
      config: { 'max.message.bytes': String(maxRecordBytes * 2), 'retention.ms': String(60 * 60_000) },
    },
  ];
}
