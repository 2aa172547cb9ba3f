import type { RecordHeaders } from '../schemas/framing/framing.js';
import { decodeNodeStatus } from '../schemas/framing/node-status.js';
import type { NodeStatus } from '../schemas/generated.js';
import type { Config } from '../core/config/config.js';
import type { KafkaClient } from '../kafka/port.js';
import { readLatest, type LatestOptions } from '../kafka/reading/compacted-table.js';
import { topicNames } from './topics.js';

/** A node that has not been heard of for so long is taken for dead. */
export const SILENT_AFTER_MS = 10_000;
const READ_LIMIT_MS = 15_000;
/** A node with a thousand models tells of itself in less. */
const MAX_STATUS_BYTES = 512 * 1024;
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;
const MAX_NODE_NAME_BYTES = 1_024;

export interface KnownNode extends NodeStatus {
  /** False when it neither beats nor said that it left. */
  readonly alive: boolean;
}

/** What a node told last of itself. */
export interface ReportedStatus {
  /** Of its record. */
  readonly key: string;
  readonly status: NodeStatus;
  /** The time of its record: the broker's where the topic keeps that. */
  readonly recordedAt: number;
}

/** Called with the number of statuses that were ignored because they are too large, or too many. */
export type OnIgnored = (count: number) => void;

/** The nodes of the cluster as they told of themselves, by name. @throws KafkaError when the cluster can't be reached */
export async function readNodes(
  kafka: KafkaClient,
  config: Config,
  now: number,
  onIgnored?: OnIgnored,
): Promise<KnownNode[]> {
  const heard = await readStatuses(kafka, config, { onIgnored });
  return withoutForgotten(heard, config).map(({ status }) => ({
    ...status,
    alive: now - status.beatAt < SILENT_AFTER_MS,
  }));
}

/** Leaves out nodes that were silent for so long that they are no longer listed. */
export function withoutForgotten(
  heard: readonly ReportedStatus[],
  { nodeForgetMs }: Pick<Config, 'nodeForgetMs'>,
): ReportedStatus[] {
  const forgotten = new Set(longSilent(heard, nodeForgetMs));
  return heard.filter(({ key }) => !forgotten.has(key));
}

/** What each node told last, by name. @throws KafkaError when the cluster can't be reached */
export async function readStatuses(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
  options: Pick<LatestOptions, 'groupPrefix' | 'signal' | 'onIgnored'> = {},
): Promise<ReportedStatus[]> {
  const records = await readLatest(kafka, topicNames(prefix).nodes, {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes,
    maxRecordBytes: MAX_STATUS_BYTES,
    maxBytes: MAX_DIRECTORY_BYTES,
    ...options,
  });
  return records
    .flatMap(({ key, value, headers, timestamp }) => {
      const isNamed = (key?.length ?? 0) <= MAX_NODE_NAME_BYTES;
      const status = isNamed && value ? decodeIfReadable(value, headers) : undefined;
      return status ? [{ key: key?.toString('utf8') ?? '', status, recordedAt: timestamp }] : [];
    })
    .sort((a, b) => a.status.node.localeCompare(b.status.node));
}

/**
 * Keys of nodes that have told nothing for so long, by the clock of the topic: compared with what was told last by any
 * node, so that a clock of ours does not matter. While nobody tells anything, nobody is silent.
 */
export function longSilent(heard: readonly ReportedStatus[], forgetMs: number): string[] {
  const newest = heard.reduce((latest, { recordedAt }) => Math.max(latest, recordedAt), -Infinity);
  return heard.filter(({ recordedAt }) => newest - recordedAt > forgetMs).map(({ key }) => key);
}

/** An unreadable record, whoever wrote it, must not hide the other nodes. */
function decodeIfReadable(value: Buffer, headers: RecordHeaders): NodeStatus | undefined {
  try {
    return decodeNodeStatus(value, headers);
  } catch {
    return undefined;
  }
}
