import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient, KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { readLatest, type LatestOptions } from '../../kafka/reading/compacted-table.js';
import { topicNames } from '../topics.js';
import { checkBinding, revisionOf, type BindingDefinition } from './definition.js';

/**
 * Storage of bindings: a compacted topic, keyed by name, with the last applied definition in JSON; a tombstone
 * removes a binding.
 */
const READ_LIMIT_MS = 15_000;
/** Larger than a binding of a hundred features with lookup tables. */
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_TOPIC_BYTES = 64 * 1024 * 1024;

/** A binding as applied. */
export interface AppliedBinding {
  readonly definition: BindingDefinition;
  readonly revision: string;
  /** Milliseconds since the epoch. */
  readonly appliedAt: number;
  /** Offset of its record: of two bindings, the one with the smaller offset was applied first. */
  readonly offset: number;
}

/** Creates the record that applies a binding. */
export function bindingRecord(topic: string, definition: BindingDefinition): OutgoingRecord {
  const value = Buffer.from(JSON.stringify(definition));
  return { topic, partition: 0, key: Buffer.from(definition.name), value, headers: {} };
}

/** Creates the record that removes a binding. */
export function removalRecord(topic: string, binding: string): OutgoingRecord {
  return { topic, partition: 0, key: Buffer.from(binding), value: null, headers: {} };
}

/**
 * Decodes a binding record: the applied binding, or undefined if it was removed.
 * @throws PartituraError INVALID_REQUEST if this version cannot read the record
 */
export function readBindingRecord({ key, value, timestamp, offset }: KafkaRecord): {
  readonly name: string;
  readonly applied: AppliedBinding | undefined;
} {
  const name = key?.toString('utf8') ?? '';
  if (value === null) return { name, applied: undefined };
  const definition = checkBinding(parse(value));
  if (definition.name !== name)
    throw invalidRequest(`binding: expected the record's key '${name}' as name, got '${definition.name}'`);
  return { name, applied: { definition, revision: revisionOf(definition), appliedAt: timestamp, offset } };
}

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (cause) {
    throw new PartituraError('INVALID_REQUEST', `binding: expected JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Reads the last record of each binding, including tombstones, in order of offsets. Records beyond the limits are
 * ignored.
 * @throws KafkaError if the cluster cannot be reached
 */
export function readBindingRecords(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
  options: Pick<LatestOptions, 'groupPrefix' | 'signal' | 'onIgnored'> = {},
): Promise<KafkaRecord[]> {
  return readLatest(kafka, topicNames(prefix).bindings, {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes,
    maxRecordBytes: MAX_RECORD_BYTES,
    maxBytes: MAX_TOPIC_BYTES,
    ...options,
  });
}

/**
 * Reads all applied bindings, by name.
 * @param onUnreadable called for records that this version cannot read; the others are returned
 * @throws KafkaError if the cluster cannot be reached
 */
export async function readBindings(
  kafka: KafkaClient,
  config: Config,
  onUnreadable: (record: KafkaRecord, error: Error) => void = () => undefined,
): Promise<ReadonlyMap<string, AppliedBinding>> {
  const bindings = new Map<string, AppliedBinding>();
  for (const record of await readBindingRecords(kafka, config)) {
    try {
      const { name, applied } = readBindingRecord(record);
      if (applied) bindings.set(name, applied);
    } catch (error) {
      onUnreadable(record, error as Error);
    }
  }
  return bindings;
}
