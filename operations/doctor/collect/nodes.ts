import { readStatuses, withoutForgotten, type ReportedStatus } from '../../../cluster/node-directory.js';
import { topicNames } from '../../../cluster/topics.js';
import { sleep } from '../../../core/time.js';
import {
  classifyByBroker,
  classifyByClock,
  needsSecondReading,
  newestOf,
  type Beats,
  type ClassifiedNode,
} from '../checks/nodes.js';
import type { DoctorContext } from '../facts.js';
import { settle } from '../queries.js';

const TIMESTAMPS = 'message.timestamp.type';
/** Two and a half heartbeat intervals. */
const WATCH_MS = 5_000;

/** Reads the nodes, their liveness, and their heartbeats by both clocks. */
export async function collectNodes(
  context: DoctorContext,
): Promise<{ nodes: ClassifiedNode[]; beats: Beats }> {
  const { inspector, kafka, config } = context;
  const topic = topicNames(config.prefix).nodes;
  const settings = await settle(() => inspector.topicSettings(topic, [TIMESTAMPS]));
  const statuses = withoutForgotten(await readStatuses(kafka, config), config);
  const readAt = Date.now();
  if (settings instanceof Error || settings.values.get(TIMESTAMPS) !== 'LogAppendTime') {
    const beats = settings instanceof Error ? settings : undefined;
    return { nodes: classifyByClock(statuses, readAt), beats: { topic, beats, readAt } };
  }
  if (!needsSecondReading(statuses, readAt)) return nodesWithBeats(topic, statuses, true, readAt);
  await sleep(WATCH_MS);
  const later = withoutForgotten(await readStatuses(kafka, config), config);
  return nodesWithBeats(topic, later, newestOf(later) > newestOf(statuses), Date.now());
}

function nodesWithBeats(
  topic: string,
  statuses: readonly ReportedStatus[],
  isBeating: boolean,
  readAt: number,
): { nodes: ClassifiedNode[]; beats: Beats } {
  const nodes = classifyByBroker(statuses, isBeating, readAt);
  const alive = new Set(nodes.filter((node) => node.alive).map(({ node }) => node));
  const beats = statuses
    .filter(({ status }) => alive.has(status.node))
    .map(({ status, recordedAt }) => ({ node: status.node, beatAt: status.beatAt, appendedAt: recordedAt }));
  return { nodes, beats: { topic, beats, readAt } };
}
