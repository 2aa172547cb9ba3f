import type { RecordHeaders } from '../schemas/framing/framing.js';
import { decodeNodeStatus } from '../schemas/framing/node-status.js';
import type { NodeStatus } from '../schemas/generated.js';
import type { Config } from '../core/config/config.js';
import type { KafkaClient, KafkaRecord } from '../kafka/port.js';
import { readLatest, type LatestOptions } from '../kafka/reading/compacted-table.js';
import { topicNames } from './topics.js';

/** A node without a heartbeat for this long is considered dead. */
export const SILENT_AFTER_MS = 10_000;
const READ_LIMIT_MS = 15_000;
/** Limits on what anybody may have written to the node topic; a status of a thousand models fits. */
export const DIRECTORY_LIMITS = { maxRecordBytes: 512 * 1024, maxBytes: 64 * 1024 * 1024 };
const MAX_NODE_NAME_BYTES = 1_024;

export interface KnownNode extends NodeStatus {
  /** False if the node has sent no heartbeat recently. */
  readonly alive: boolean;
}

/** The last status published by a node. */
export interface ReportedStatus {
  /** Key of the record. */
  readonly key: string;
  readonly status: NodeStatus;
  /** Timestamp of the record: the broker's clock if the topic is configured so. */
  readonly recordedAt: number;
}

/** Called with the number of statuses that were ignored because there are too many or they are too large. */
export type OnIgnored = (count: number) => void;

/** Reads the nodes of the cluster, by name. @throws KafkaError if the cluster cannot be reached */
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

/** Removes nodes that have been silent beyond the listing limit. */
export function withoutForgotten(
  heard: readonly ReportedStatus[],
  { nodeForgetMs }: Pick<Config, 'nodeForgetMs'>,
): ReportedStatus[] {
  const forgotten = new Set(expiredKeys(heard, nodeForgetMs));
  return heard.filter(({ key }) => !forgotten.has(key));
}

/** Reads the last status of each node, sorted by name. @throws KafkaError if the cluster cannot be reached */
export async function readStatuses(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
  options: Pick<LatestOptions, 'groupPrefix' | 'signal' | 'onIgnored'> = {},
): Promise<ReportedStatus[]> {
  const records = await readLatest(kafka, topicNames(prefix).nodes, {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes,
    ...DIRECTORY_LIMITS,
    ...options,
  });
  return decodeStatuses(records);
}

/** Decodes the last status of each node, sorted by name; unreadable ones are left out. */
export function decodeStatuses(records: readonly KafkaRecord[]): ReportedStatus[] {
  return records
    .flatMap(({ key, value, headers, timestamp }) => {
      const isNamed = (key?.length ?? 0) <= MAX_NODE_NAME_BYTES;
      const status = isNamed && value ? decodeIfReadable(value, headers) : undefined;
      return status ? [{ key: key?.toString('utf8') ?? '', status, recordedAt: timestamp }] : [];
    })
    .sort((a, b) => a.status.node.localeCompare(b.status.node));
}

/**
 * Returns the keys of nodes that have been silent for `forgetMs`, relative to the latest status of any node, so that
 * the local clock is irrelevant. If no node publishes anything, none is silent.
 */
export function expiredKeys(heard: readonly ReportedStatus[], forgetMs: number): string[] {
  const newest = heard.reduce((latest, { recordedAt }) => Math.max(latest, recordedAt), -Infinity);
  return heard.filter(({ recordedAt }) => newest - recordedAt > forgetMs).map(({ key }) => key);
}

/** Decodes a status; an unreadable record, from any producer, must not hide the other nodes. */
function decodeIfReadable(value: Buffer, headers: RecordHeaders): NodeStatus | undefined {
  try {
    return decodeNodeStatus(value, headers);
  } catch {
    return undefined;
  }
}
