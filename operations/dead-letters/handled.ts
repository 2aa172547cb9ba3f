import type { KafkaRecord, OutgoingRecord, TopicPartition } from '../../kafka/port.js';
import type { CompactedTable } from '../../kafka/reading/compacted-table.js';

/** The state of a handled dead letter. */
export type Disposition = 'replayed' | 'dropped';

/** Dispositions by their code in a chunk; 0 means none. */
const DISPOSITIONS: readonly (Disposition | undefined)[] = [undefined, 'replayed', 'dropped'];
const CHUNK = 256;

interface Chunk {
  readonly codes: Uint8Array;
  /** The lowest 32 bits of the letters' timestamps. */
  readonly stamps: Uint32Array;
  used: number;
}

/**
 * Handled dead letters, stored in a compacted topic: keys are `topic/partition/offset`, values JSON with the disposition,
 * its time, and the timestamp of the letter. That timestamp distinguishes a letter from another at the same offset of a
 * recreated topic. In memory a letter takes 5 bytes if its neighbors are handled, too.
 */
export class HandledDeadLetters implements CompactedTable {
  readonly #partitions = new Map<string, Map<number, Chunk>>();

  /** @param of returns true for topics of interest */
  constructor(readonly of: (topic: string) => boolean = () => true) {}

  /** Applies a record of the topic; a malformed one leaves its letter unhandled. */
  add({ key, value }: KafkaRecord): void {
    const [, topic = '', partition, offset] = PLACE.exec(key?.toString('utf8') ?? '') ?? [];
    if (topic === '' || !this.of(topic)) return;
    const mark = value === null ? undefined : readMark(value);
    this.#set(
      { topic, partition: Number(partition) },
      Number(offset),
      mark?.letterTime ?? 0,
      mark?.disposition,
    );
  }

  handle(letter: KafkaRecord, disposition: Disposition): void {
    this.#set(letter, letter.offset, letter.timestamp, disposition);
  }

  dispositionOf({ topic, partition, offset, timestamp }: KafkaRecord): Disposition | undefined {
    const chunk = this.#partitions.get(`${topic}/${partition}`)?.get(Math.floor(offset / CHUNK));
    const at = offset % CHUNK;
    return chunk?.stamps[at] === timestamp >>> 0 ? DISPOSITIONS[chunk.codes[at] ?? 0] : undefined;
  }

  /** Yields the offsets of handled letters that no longer exist. */
  *before({ topic, partition }: TopicPartition, start: number): Generator<number> {
    for (const [number, { codes }] of this.#partitions.get(`${topic}/${partition}`) ?? [])
      for (const [at, code] of codes.entries())
        if (code > 0 && number * CHUNK + at < start) yield number * CHUNK + at;
  }

  #set(
    { topic, partition }: TopicPartition,
    offset: number,
    timestamp: number,
    disposition: Disposition | undefined,
  ): void {
    const place = `${topic}/${partition}`;
    const chunks = this.#partitions.get(place) ?? new Map<number, Chunk>();
    const number = Math.floor(offset / CHUNK);
    const chunk = chunks.get(number) ?? emptyChunk();
    const at = offset % CHUNK;
    chunk.used += Number(disposition !== undefined) - Number((chunk.codes[at] ?? 0) > 0);
    chunk.codes[at] = DISPOSITIONS.indexOf(disposition);
    chunk.stamps[at] = timestamp;
    if (chunk.used > 0) chunks.set(number, chunk);
    else chunks.delete(number);
    this.#partitions.set(place, chunks);
  }
}

const PLACE = /^([A-Za-z0-9._-]{1,249})\/(\d{1,9})\/(\d{1,15})$/;

function emptyChunk(): Chunk {
  return { codes: new Uint8Array(CHUNK), stamps: new Uint32Array(CHUNK), used: 0 };
}

interface Mark {
  readonly disposition: Disposition;
  readonly letterTime: number;
}

function readMark(value: Buffer): Mark | undefined {
  try {
    const { state, letterTime } = JSON.parse(value.toString('utf8')) as Record<string, unknown>;
    const disposition = DISPOSITIONS.find((one) => one !== undefined && one === state);
    return disposition && typeof letterTime === 'number' ? { disposition, letterTime } : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the record that marks a letter as handled. */
export function markOf(
  topic: string,
  letter: KafkaRecord,
  disposition: Disposition,
  now: number,
): OutgoingRecord {
  const mark = { state: disposition, at: new Date(now).toISOString(), letterTime: letter.timestamp };
  return markRecord(topic, letter, letter.offset, Buffer.from(JSON.stringify(mark)));
}

/** Returns the tombstone of a mark, for a letter that no longer exists. */
export function tombstoneOf(topic: string, place: TopicPartition, offset: number): OutgoingRecord {
  return markRecord(topic, place, offset, null);
}

function markRecord(
  topic: string,
  place: TopicPartition,
  offset: number,
  value: Buffer | null,
): OutgoingRecord {
  const key = Buffer.from(`${place.topic}/${place.partition}/${offset}`);
  return { topic, partition: 0, key, value, headers: {} };
}
