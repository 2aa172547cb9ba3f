const MAX_NAMES = 1_000;
/** Longer names are rare enough to be decoded each time. */
const MAX_LENGTH = 64;

interface Known {
  readonly bytes: Buffer;
  readonly name: string;
}

/** Keyed by length, first and last byte; a name with the same key replaces the previous one. */
const known = new Map<number, Known>();

/**
 * Returns the name at `start` in `bytes`. Most records use the same few header names, and comparing bytes is faster
 * than decoding text.
 */
export function readName(bytes: Buffer, start: number, length: number): string {
  if (length === 0 || length > MAX_LENGTH) return bytes.toString('utf8', start, start + length);
  const hash = (length << 16) | ((bytes[start] ?? 0) << 8) | (bytes[start + length - 1] ?? 0);
  const candidate = known.get(hash);
  if (candidate && isAt(candidate.bytes, bytes, start)) return candidate.name;
  const name = bytes.toString('utf8', start, start + length);
  if (known.size >= MAX_NAMES) known.clear();
  known.set(hash, { bytes: Buffer.from(bytes.subarray(start, start + length)), name });
  return name;
}

function isAt(name: Buffer, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false;
  return true;
}

const encoded = new Map<string, Buffer>();

/** Encodes a name; short names are cached. */
export function nameBytes(name: string): Buffer {
  if (name.length > MAX_LENGTH) return Buffer.from(name);
  let bytes = encoded.get(name);
  if (!bytes) {
    if (encoded.size >= MAX_NAMES) encoded.clear();
    encoded.set(name, (bytes = Buffer.from(name)));
  }
  return bytes;
}
