import { heldBytes } from '../sending/record-bytes.js';
import type { KafkaClient, KafkaRecord } from '../port.js';
import { rangesOf, type ReadOptions } from './read-topic.js';
import { scanRanges } from './scan-topic.js';

export interface LatestOptions extends ReadOptions {
  /** A larger record is ignored, as if its key had no record. */
  readonly maxRecordBytes: number;
  /** Memory limit of all records; keys that arrive beyond it are ignored. */
  readonly maxBytes: number;
  /** Called once, if records were ignored. */
  readonly onIgnored?: ((count: number) => void) | undefined;
}

/** State that is built from the records of a compacted topic, in order of offsets: a later record replaces an earlier one. */
export interface CompactedTable {
  /** Applies the record of a key; one without a value removes the key. */
  add(record: KafkaRecord): void;
}

/**
 * Reads the current state of a compacted topic: the last record of each key, including tombstones, in order of
 * offsets. Producers to the topic decide how many records there are and how large, so both are limited.
 * @returns no records if the topic does not exist
 * @throws KafkaError `unavailable` if nothing arrives for `limitMs`
 */
export async function readLatest(
  kafka: KafkaClient,
  topic: string,
  options: LatestOptions,
): Promise<KafkaRecord[]> {
  const latest = await readTable(kafka, topic, new LatestRecords(options), options);
  if (latest.ignored > 0) options.onIgnored?.(latest.ignored);
  return latest.records();
}

/**
 * Reads a compacted topic into a table, which keeps of each record what it needs; the records themselves are not held.
 * @returns the table; unchanged if the topic does not exist
 * @throws KafkaError `unavailable` if nothing arrives for `limitMs`
 */
export async function readTable<T extends CompactedTable>(
  kafka: KafkaClient,
  topic: string,
  table: T,
  options: ReadOptions,
): Promise<T> {
  const ranges = await rangesOf(kafka, topic, options.signal);
  await scanRanges(kafka, topic, ranges ?? [], {
    ...options,
    onRecords: (records) => {
      for (const record of records) table.add(record);
    },
  });
  options.signal?.throwIfAborted();
  return table;
}

/** Last record of each key, within limits. */
export class LatestRecords implements CompactedTable {
  readonly #byKey = new Map<string, KafkaRecord>();
  #bytes = 0;
  ignored = 0;

  constructor(readonly limits: Pick<LatestOptions, 'maxRecordBytes' | 'maxBytes'>) {}

  add(record: KafkaRecord): void {
    const bytes = heldBytes(record);
    const key = record.key?.toString('latin1') ?? '';
    this.#remove(key);
    if (bytes > this.limits.maxRecordBytes || this.#bytes + bytes > this.limits.maxBytes) {
      this.ignored++;
      return;
    }
    this.#byKey.set(key, record);
    this.#bytes += bytes;
  }

  #remove(key: string): void {
    const former = this.#byKey.get(key);
    if (!former) return;
    this.#byKey.delete(key);
    this.#bytes -= heldBytes(former);
  }

  records(): KafkaRecord[] {
    return [...this.#byKey.values()].sort((a, b) => a.offset - b.offset);
  }
}
