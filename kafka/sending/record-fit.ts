import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { KafkaError, type KafkaAdmin, type OutgoingRecord } from '../port.js';
import { recordBytes } from './record-bytes.js';

/** Every broker accepts this much in one batch, unless Kafka's default of 1 MiB was lowered. */
const ALWAYS_FITS_BYTES = 900_000;
/** Overhead of a batch and a produce request around their records. */
const BATCH_OVERHEAD_BYTES = 16 * 1024;
/** Kafka's default for `socket.request.max.bytes`. */
const DEFAULT_REQUEST_BYTES = 100 * 1024 * 1024;
const TOPIC_SETTING = 'max.message.bytes';
const BROKER_SETTING = 'socket.request.max.bytes';
/** Time after which a setting is queried again. */
const CACHE_MS = 60_000;
/** Topic names come from configuration and bindings; the cache is bounded. */
const MAX_CACHED = 1_000;

const gzipped = promisify(gzip);

interface KnownLimit {
  readonly bytes: Promise<number>;
  readonly until: number;
}

/**
 * Detects records that are too large before they are sent. Exceeding a topic's limit causes an error, but a request
 * over the broker's limit closes the connection, which looks like an outage and would be retried forever.
 */
export class RecordFit {
  readonly #limits = new Map<string, KnownLimit>();
  #requestBytes: KnownLimit | undefined;

  constructor(
    readonly admin: Pick<KafkaAdmin, 'topicSettings' | 'brokerSettings'>,
    readonly now: () => number = Date.now,
  ) {}

  /**
   * Returns undefined for a record that is small enough everywhere; otherwise a promise that resolves if it fits.
   * @throws KafkaError `too-large`
   */
  check(record: OutgoingRecord): Promise<void> | undefined {
    return recordBytes(record) <= ALWAYS_FITS_BYTES ? undefined : this.#check(record);
  }

  async #check(record: OutgoingRecord): Promise<void> {
    const { topic, value, compress } = record;
    const limit = Math.min(await this.#topicBytes(topic), await this.#brokerBytes());
    const saved = compress && value ? value.length - (await gzipped(value)).length : 0;
    const bytes = recordBytes(record) - saved + BATCH_OVERHEAD_BYTES;
    if (bytes > limit)
      throw new KafkaError('too-large', `topic ${topic} takes at most ${limit} bytes, got ${bytes}`);
  }

  #topicBytes(topic: string): Promise<number> {
    const known = this.#limits.get(topic);
    if (known && this.now() < known.until) return known.bytes;
    const bytes = numberOf(TOPIC_SETTING, this.admin.topicSettings(topic, [TOPIC_SETTING]), Infinity);
    const [oldest] = this.#limits.keys();
    if (oldest !== undefined && this.#limits.size >= MAX_CACHED) this.#limits.delete(oldest);
    this.#limits.set(topic, { bytes, until: this.now() + CACHE_MS });
    return bytes;
  }

  #brokerBytes(): Promise<number> {
    if (this.#requestBytes && this.now() < this.#requestBytes.until) return this.#requestBytes.bytes;
    const settings = this.admin.brokerSettings([BROKER_SETTING]);
    const bytes = numberOf(BROKER_SETTING, settings, DEFAULT_REQUEST_BYTES);
    this.#requestBytes = { bytes, until: this.now() + CACHE_MS };
    return bytes;
  }
}

/** Returns a numeric setting, or the fallback without permission to describe settings. */
async function numberOf(
  name: string,
  settings: Promise<ReadonlyMap<string, string>>,
  fallback: number,
): Promise<number> {
  const value = Number((await settings.catch(() => undefined))?.get(name) ?? fallback);
  return Number.isFinite(value) ? value : fallback;
}
