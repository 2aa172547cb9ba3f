/** Returns a seeded pseudorandom generator (mulberry32). */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Damage = (bytes: Buffer, random: (below: number) => number) => Buffer;

const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x7b, 0x7d];

const DAMAGES: readonly Damage[] = [
  function flipBit(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = random(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
    return copy;
  },
  function setByte(bytes, random) {
    const copy = Buffer.from(bytes);
    copy[random(copy.length)] = EDGES[random(EDGES.length)] ?? 0;
    return copy;
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => bytes.subarray(random(bytes.length)),
  function repeatPart(bytes, random) {
    const start = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, start + random(bytes.length - start)), bytes.subarray(start)]);
  },
  function insert(bytes, random) {
    const at = random(bytes.length + 1);
    const inserted = Buffer.from(Array.from({ length: 1 + random(8) }, () => random(256)));
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
  },
  (_bytes, random) => Buffer.from(Array.from({ length: random(64) }, () => random(256))),
];

const MOST_DAMAGES = 3;

/** Applies up to three random mutations of all kinds to the bytes. */
export function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  let mutated = bytes;
  for (let left = 1 + random(MOST_DAMAGES); left > 0 && mutated.length > 0; left--) {
    const damage = DAMAGES[random(DAMAGES.length)];
    if (damage) mutated = damage(mutated, random);
  }
  return mutated;
}
