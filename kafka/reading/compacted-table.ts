import { heldBytes } from '../sending/record-bytes.js';
import type { KafkaClient, KafkaRecord } from '../port.js';
import { rangesOf } from './read-topic.js';
import { scanRanges } from './scan-topic.js';

export interface LatestOptions {
  /** How long nothing may come. */
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
  /** A larger record is ignored, as if its key had none. */
  readonly maxRecordBytes: number;
  /** The most memory of all records; keys that come when it is full are ignored. */
  readonly maxBytes: number;
  /** Called once, when records were ignored. */
  readonly onIgnored?: ((count: number) => void) | undefined;
  /** How the names of groups begin that it is read with, by clients that need one. */
  readonly groupPrefix?: string | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a compacted topic as it is now: the last record of each key, tombstones too, in order of their offsets. Whoever may
 * write to the topic decides how many there are and how large, so both have limits.
 * @returns none when the topic does not exist
 * @throws KafkaError `unavailable` when nothing comes for `limitMs`
 */
export async function readLatest(
  kafka: KafkaClient,
  topic: string,
  options: LatestOptions,
): Promise<KafkaRecord[]> {
  const ranges = await rangesOf(kafka, topic, options.signal);
  const latest = new LatestRecords(options);
  await scanRanges(kafka, topic, ranges ?? [], {
    ...options,
    onRecords: (records) => {
      for (const record of records) latest.add(record);
    },
  });
  options.signal?.throwIfAborted();
  if (latest.ignored > 0) options.onIgnored?.(latest.ignored);
  return latest.records();
}

/** The last record of each key, within limits. */
export class LatestRecords {
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
