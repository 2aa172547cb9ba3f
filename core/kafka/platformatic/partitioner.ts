const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/**
 * Kafka's hash of keys (`org.apache.kafka.common.utils.Utils.murmur2`), as a signed 32-bit number. The library has
 * one as well, on BigInts.
 */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let at = 0; at < tail; at += 4) {
    let word = Math.imul(view.getInt32(at, true), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  if (tail < bytes.length) {
    for (let at = bytes.length - 1; at >= tail; at--) hash ^= view.getUint8(at) << (8 * (at - tail));
    hash = Math.imul(hash, MIX);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

/** Where a record with this key belongs, in every client of Kafka that keeps to Java's default. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** Partitions that a record which may go anywhere should go to: those with a leader, unless none has one. */
export function ledPartitions(leaders: readonly (number | undefined)[]): number[] {
  const all = [...leaders.keys()];
  const led = all.filter((partition) => leaders[partition] !== undefined);
  return led.length > 0 ? led : all;
}

/** Records of one send that go to the same partition before the next one is taken. */
const RUN = 16;

/**
 * Where records without a key go: a few in a row to the same partition, which makes fewer and larger batches, and a
 * large send evenly to all.
 */
export class Spread {
  #next = Math.floor(Math.random() * 1_000_003);
  #left = 0;

  partition(partitions: number): number {
    if (this.#left-- <= 0) this.turn();
    return this.#next % partitions;
  }

  /** Begins a new run: each send does. */
  turn(): void {
    this.#next = (this.#next + 1) % 0x7fffffff;
    this.#left = RUN - 1;
  }
}
