import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { KafkaError, type KafkaAdmin, type OutgoingRecord } from '../port.js';
import { recordBytes } from './record-bytes.js';

/** Every broker takes as much in one batch, unless somebody has lowered Kafka's default of 1 MiB. */
const SURELY_FITS_BYTES = 900_000;
/** Bytes of a batch and a produce request around their records. */
const ROOM_AROUND_RECORDS = 16 * 1024;
/** Kafka's default for `socket.request.max.bytes`. */
const DEFAULT_REQUEST_BYTES = 100 * 1024 * 1024;
const TOPIC_SETTING = 'max.message.bytes';
const BROKER_SETTING = 'socket.request.max.bytes';
/** How long a setting is trusted. */
const TRUSTED_MS = 60_000;
/** Names come from configuration and from bindings; this many are remembered. */
const MAX_REMEMBERED = 1_000;

const gzipped = promisify(gzip);

interface KnownLimit {
  readonly bytes: Promise<number>;
  readonly until: number;
}

/**
 * Knows beforehand that a record is too large. A topic's limit is told by an error, but a request beyond the broker's limit
 * ends its connection, which looks like an outage and would be tried again and again.
 */
export class RecordFit {
  readonly #limits = new Map<string, KnownLimit>();
  #requestBytes: KnownLimit | undefined;

  constructor(
    readonly admin: Pick<KafkaAdmin, 'topicSettings' | 'brokerSettings'>,
    readonly now: () => number = Date.now,
  ) {}

  /**
   * Undefined for a record that is small enough anywhere; else a promise that resolves when it fits.
   * @throws KafkaError `too-large`
   */
  check(record: OutgoingRecord): Promise<void> | undefined {
    return recordBytes(record) <= SURELY_FITS_BYTES ? undefined : this.#check(record);
  }

  async #check(record: OutgoingRecord): Promise<void> {
    const { topic, value, compress } = record;
    const limit = Math.min(await this.#topicBytes(topic), await this.#brokerBytes());
    const saved = compress && value ? value.length - (await gzipped(value)).length : 0;
    const bytes = recordBytes(record) - saved + ROOM_AROUND_RECORDS;
    if (bytes > limit)
      throw new KafkaError(
        'too-large',
        `topic ${topic} takes at most ${limit} bytes, the record has ${bytes}`,
      );
  }

  #topicBytes(topic: string): Promise<number> {
    const known = this.#limits.get(topic);
    if (known && this.now() < known.until) return known.bytes;
    const bytes = numberOf(TOPIC_SETTING, this.admin.topicSettings(topic, [TOPIC_SETTING]), Infinity);
    const [oldest] = this.#limits.keys();
    if (oldest !== undefined && this.#limits.size >= MAX_REMEMBERED) this.#limits.delete(oldest);
    this.#limits.set(topic, { bytes, until: this.now() + TRUSTED_MS });
    return bytes;
  }

  #brokerBytes(): Promise<number> {
    if (this.#requestBytes && this.now() < this.#requestBytes.until) return this.#requestBytes.bytes;
    const settings = this.admin.brokerSettings([BROKER_SETTING]);
    const bytes = numberOf(BROKER_SETTING, settings, DEFAULT_REQUEST_BYTES);
    this.#requestBytes = { bytes, until: this.now() + TRUSTED_MS };
    return bytes;
  }
}

/** Describing settings is a right of its own: without it, the fallback. */
async function numberOf(
  name: string,
  settings: Promise<ReadonlyMap<string, string>>,
  fallback: number,
): Promise<number> {
  const value = Number((await settings.catch(() => undefined))?.get(name) ?? fallback);
  return Number.isFinite(value) ? value : fallback;
}
