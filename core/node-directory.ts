import { decodeNodeStatus } from '../schemas/framing/single-object.js';
import type { NodeStatus } from '../schemas/generated.js';
import type { Config } from './config.js';
import type { KafkaClient } from './kafka/port.js';
import { readTopic } from './kafka/read-topic.js';
import { topicNames } from './topics.js';

/** A node that has not been heard of for so long is taken for dead. */
const SILENT_AFTER_MS = 10_000;
const READ_LIMIT_MS = 15_000;

export interface KnownNode extends NodeStatus {
  /** False when it neither beats nor said that it left. */
  readonly alive: boolean;
}

/** The nodes of the cluster as they told of themselves, by name. @throws KafkaError when the cluster can't be reached */
export async function readNodes(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Config,
  now: number,
): Promise<KnownNode[]> {
  const records = await readTopic(kafka, topicNames(prefix).nodes, { limitMs: READ_LIMIT_MS, fetchMaxBytes });
  const latest = new Map<string, NodeStatus>();
  for (const { key, value } of records.sort((a, b) => a.offset - b.offset)) {
    const node = key?.toString('utf8') ?? '';
    if (value === null) latest.delete(node);
    else setIfReadable(latest, node, value);
  }
  const nodes = [...latest.values()].sort((a, b) => a.node.localeCompare(b.node));
  return nodes.map((status) => ({ ...status, alive: now - status.beatAt < SILENT_AFTER_MS }));
}

/** What a node of another version, or a stranger, wrote must not hide the other nodes. */
function setIfReadable(latest: Map<string, NodeStatus>, node: string, value: Buffer): void {
  try {
    latest.set(node, decodeNodeStatus(value));
  } catch {
    latest.delete(node);
  }
}
