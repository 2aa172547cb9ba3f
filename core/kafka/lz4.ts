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
const FIRST_BYTES = 64 * 1024;

/**
 * Reads an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). The library takes the frame's word
 * for its size; here the output grows with what is in it.
 * @param tooLarge what to throw when it has more than `maxBytes`
 */
export function decompressLz4(bytes: Buffer, maxBytes: number, tooLarge: () => Error): Buffer {
  const { at, blockChecksums } = readHeader(bytes);
  let output: Buffer = Buffer.alloc(FIRST_BYTES);
  let length = 0;
  for (let position = at; ;) {
    const size = bytes.readUInt32LE(position) % UNCOMPRESSED;
    const isPlain = bytes.readUInt32LE(position) >= UNCOMPRESSED;
    position += 4;
    if (size === 0) return output.subarray(0, length);
    if (size > MAX_BLOCK_BYTES || position + size > bytes.length) throw new Error('an LZ4 block breaks off');
    output = withRoom(output, length);
    if (isPlain) length += bytes.copy(output, length, position, position + size);
    else length = lz4.decompressBlock(bytes, output, position, size, length);
    if (length > output.length) throw new Error('an LZ4 block is larger than blocks may be');
    if (length > maxBytes) throw tooLarge();
    position += size + (blockChecksums ? CHECKSUM_BYTES : 0);
  }
}

function readHeader(bytes: Buffer): { at: number; blockChecksums: boolean } {
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error('not an LZ4 frame');
  const flags = bytes.readUInt8(4);
  const sizeBytes = flags & CONTENT_SIZE ? CONTENT_SIZE_BYTES : 0;
  const dictionaryBytes = flags & DICTIONARY ? DICTIONARY_BYTES : 0;
  return { at: 7 + sizeBytes + dictionaryBytes, blockChecksums: (flags & BLOCK_CHECKSUMS) !== 0 };
}

/** Blocks refer to those before them, so all are in one piece. */
function withRoom(output: Buffer, length: number): Buffer {
  if (output.length >= length + MAX_BLOCK_BYTES) return output;
  const larger = Buffer.alloc(Math.max(2 * output.length, length + MAX_BLOCK_BYTES));
  output.copy(larger, 0, 0, length);
  return larger;
}
