import lz4 from 'lz4js';

const MAGIC = 0x184d2204;
const CONTENT_SIZE = 1 << 3;
const CONTENT_SIZE_BYTES = 8;
const BLOCK_CHECKSUMS = 1 << 4;
const CHECKSUM_BYTES = 4;
const DICTIONARY = 1;
const DICTIONARY_BYTES = 4;
const UNCOMPRESSED = 0x80000000;
const MAX_BLOCK_BYTES = 4 * 1024 * 1024;
const MIN_MATCH_BYTES = 4;
const OFFSET_BYTES = 2;
/** A length that does not fit into its four bits continues in further bytes. */
const LONG_LENGTH = 15;
const FULL_BYTE = 255;

interface Block {
  readonly start: number;
  readonly size: number;
  readonly isPlain: boolean;
  /** Decompressed size in bytes. */
  readonly plainSize: number;
}

/**
 * Reads an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). The library allocates what the
 * frame's header allows, 4 MiB for a batch of a hundred bytes; this implementation measures the blocks first and
 * allocates exactly their decompressed size.
 * @param tooLarge creates the error for a frame of more than `maxBytes`
 */
export function decompressLz4(bytes: Buffer, maxBytes: number, tooLarge: () => Error): Buffer {
  const blocks = blocksOf(bytes);
  const total = blocks.reduce((sum, { plainSize }) => sum + plainSize, 0);
  if (total > maxBytes) throw tooLarge();
  const output = Buffer.alloc(total);
  let length = 0;
  for (const { start, size, isPlain } of blocks) {
    if (isPlain) length += bytes.copy(output, length, start, start + size);
    else length = lz4.decompressBlock(bytes, output, start, size, length);
  }
  return output;
}

function blocksOf(bytes: Buffer): Block[] {
  const { at, blockChecksums } = readHeader(bytes);
  const blocks: Block[] = [];
  for (let position = at; ;) {
    const size = bytes.readUInt32LE(position) % UNCOMPRESSED;
    const isPlain = bytes.readUInt32LE(position) >= UNCOMPRESSED;
    const start = position + 4;
    if (size === 0) return blocks;
    if (size > MAX_BLOCK_BYTES || start + size > bytes.length) throw new Error('truncated LZ4 block');
    const plainSize = isPlain ? size : measure(bytes, start, start + size);
    if (plainSize > MAX_BLOCK_BYTES) throw new Error('LZ4 block exceeds the maximum block size');
    blocks.push({ start, size, isPlain, plainSize });
    position = start + size + (blockChecksums ? CHECKSUM_BYTES : 0);
  }
}

function readHeader(bytes: Buffer): { at: number; blockChecksums: boolean } {
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error('not an LZ4 frame');
  const flags = bytes.readUInt8(4);
  const sizeBytes = flags & CONTENT_SIZE ? CONTENT_SIZE_BYTES : 0;
  const dictionaryBytes = flags & DICTIONARY ? DICTIONARY_BYTES : 0;
  return { at: 7 + sizeBytes + dictionaryBytes, blockChecksums: (flags & BLOCK_CHECKSUMS) !== 0 };
}

/** Adds up the lengths of a block's sequences (literals and a copy of earlier bytes) without copying. */
function measure(bytes: Buffer, start: number, end: number): number {
  let position = start;
  let total = 0;
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble < LONG_LENGTH) return length;
    for (let byte = FULL_BYTE; byte === FULL_BYTE && position < end;) length += byte = bytes[position++] ?? 0;
    return length;
  };
  while (position < end) {
    const token = bytes[position++] ?? 0;
    const literals = extended(token >> 4);
    position += literals;
    total += literals;
    if (position >= end) break;
    position += OFFSET_BYTES;
    total += extended(token & LONG_LENGTH) + MIN_MATCH_BYTES;
  }
  if (position > end) throw new Error('truncated LZ4 block');
  return total;
}
