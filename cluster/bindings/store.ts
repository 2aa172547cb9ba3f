import { PartituraError } from '../../schemas/errors.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient, KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { readLatest, type LatestOptions } from '../../kafka/reading/compacted-table.js';
import { topicNames } from '../topics.js';
import { checkBinding, revisionOf, type BindingDefinition } from './definition.js';

/**
 * Bindings as the cluster keeps them: a compacted topic, keyed by name, whose records hold what was applied last, in
 * JSON; a tombstone means that it was removed.
 */
const READ_LIMIT_MS = 15_000;
/** A binding of a hundred features with look-up tables is smaller. */
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_TOPIC_BYTES = 64 * 1024 * 1024;

/** A binding as it was applied. */
export interface AppliedBinding {
  readonly definition: BindingDefinition;
  readonly revision: string;
  /** Milliseconds since the epoch. */
  readonly appliedAt: number;
  /** Offset of its record: of two bindings the one with the smaller offset was applied first. */
  readonly offset: number;
}

/** The record that applies a binding. */
export function bindingRecord(topic: string, definition: BindingDefinition): OutgoingRecord {
  const value = Buffer.from(JSON.stringify(definition));
  return { topic, partition: 0, key: Buffer.from(definition.name), value, headers: {} };
}

/** The record that removes a binding. */
export function removalRecord(topic: string, binding: string): OutgoingRecord {
  return { topic, partition: 0, key: Buffer.from(binding), value: null, headers: {} };
}

/**
 * What such a record says: a binding, or undefined that there is none any more.
 * @throws PartituraError INVALID_REQUEST when it says nothing that this version understands
 */
export function readBindingRecord({ key, value, timestamp, offset }: KafkaRecord): {
  readonly name: string;
  readonly applied: AppliedBinding | undefined;
} {
  const name = key?.toString('utf8') ?? '';
  if (value === null) return { name, applied: undefined };
  const definition = checkBinding(parse(value));
  if (definition.name !== name)
    throw new PartituraError(
      'INVALID_REQUEST',
      `binding: expected the name that is the record's key, '${name}', got '${definition.name}'`,
    );
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
 * Reads the last record of each binding, tombstones too, in order of their offsets. Records beyond the limits are ignored.
 * @throws KafkaError when the cluster cannot be reached
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
 * All bindings that are applied, by name.
 * @param onUnreadable is told of records that say nothing that this version understands; the others are returned
 * @throws KafkaError when the cluster can't be reached
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
