import { decodeNodeStatus } from '../schemas/framing/single-object.js';
import type { NodeStatus } from '../schemas/generated.js';
import type { Config } from './config.js';
import type { KafkaClient } from './kafka/port.js';
import { readTopic, type ReadOptions } from './kafka/read-topic.js';
import { topicNames } from './topics.js';

/** A node that has not been heard of for so long is taken for dead. */
export const SILENT_AFTER_MS = 10_000;
const READ_LIMIT_MS = 15_000;

export interface KnownNode extends NodeStatus {
  /** False when it neither beats nor said that it left. */
  readonly alive: boolean;
}

/** What a node told last of itself. */
export interface HeardStatus {
  /** Of its record. */
  readonly key: string;
  readonly status: NodeStatus;
  /** The time of its record: the broker's where the topic keeps that. */
  readonly recordedAt: number;
}

/** The nodes of the cluster as they told of themselves, by name. @throws KafkaError when the cluster can't be reached */
export async function readNodes(kafka: KafkaClient, config: Config, now: number): Promise<KnownNode[]> {
  const heard = await readStatuses(kafka, config);
  const forgotten = new Set(longSilent(heard, config.nodeForgetMs));
  return heard
    .filter(({ key }) => !forgotten.has(key))
    .map(({ status }) => ({ ...status, alive: now - status.beatAt < SILENT_AFTER_MS }));
}

/** What each node told last, by name. @throws KafkaError when the cluster can't be reached */
export async function readStatuses(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
  options: Pick<ReadOptions, 'groupPrefix' | 'signal'> = {},
): Promise<HeardStatus[]> {
  const topic = topicNames(prefix).nodes;
  const records = await readTopic(kafka, topic, { limitMs: READ_LIMIT_MS, fetchMaxBytes, ...options });
  const latest = new Map<string, HeardStatus>();
  for (const { key, value, timestamp } of records.sort((a, b) => a.offset - b.offset)) {
    const status = value && decodeIfReadable(value);
    const node = key?.toString('utf8') ?? '';
    if (status) latest.set(node, { key: node, status, recordedAt: timestamp });
    else latest.delete(node);
  }
  return [...latest.values()].sort((a, b) => a.status.node.localeCompare(b.status.node));
}

/**
 * Keys of nodes that have told nothing for so long, by the clock of the topic: compared with what was told last by any
 * node, so that a clock of ours does not matter. While nobody tells anything, nobody is silent.
 */
export function longSilent(heard: readonly HeardStatus[], forgetMs: number): string[] {
  const newest = Math.max(...heard.map(({ recordedAt }) => recordedAt));
  return heard.filter(({ recordedAt }) => newest - recordedAt > forgetMs).map(({ key }) => key);
}

/** What a node of another version, or a stranger, wrote must not hide the other nodes. */
function decodeIfReadable(value: Buffer): NodeStatus | undefined {
  try {
    return decodeNodeStatus(value);
  } catch {
    return undefined;
  }
}
