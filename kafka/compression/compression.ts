import * as zlib from 'node:zlib';
import { Decompress as ZstdStream } from 'fzstd';
import snappy from 'snappyjs';
import { decompressLz4 } from './lz4.js';

/**
 * Codecs of record batches. Producers compress with any codec that their client offers; Partitura itself sends
 * uncompressed or gzip, so the other three are read-only. Node supports zstd from 22.15 on; zstd on older versions,
 * lz4 and snappy are implemented in JavaScript.
 */
export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Magic of the block framing that Java clients put around Snappy: https://github.com/xerial/snappy-java */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
/** Default limit: far more than brokers accept in one batch. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;
/** Bytes of a zstd frame fed to the decoder at a time: a few bytes can expand to a block of 128 KiB. */
const ZSTD_STEP_BYTES = 4 * 1024;
const ZSTD_HEADER_BYTES = 18;
const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_SINGLE_SEGMENT = 0x20;
const ZSTD_BLOCK_HEADER_BYTES = 3;
const ZSTD_MAX_BLOCK_BYTES = 128 * 1024;
const ZSTD_LEAST_WINDOW_BITS = 10;
const ZSTD_RAW = 0;
const ZSTD_RLE = 1;

/** Thrown if the decompressed size exceeds the caller's limit. */
export class DecompressionLimitError extends Error {
  override readonly name = 'DecompressionLimitError';
}

/** zstd in Node's zlib from 22.15 on, missing from the types that the project compiles with. */
interface ZlibWithZstd {
  zstdDecompressSync(bytes: Buffer, options: { readonly maxOutputLength: number }): Buffer;
}

type Decompressor = (bytes: Buffer, maxBytes: number) => Uint8Array;

const DECOMPRESS: Record<Codec, Decompressor> = {
  gzip: decompressGzip,
  snappy: decompressSnappy,
  lz4: (bytes, maxBytes) => decompressLz4(bytes, maxBytes, () => tooLarge(maxBytes)),
  zstd: 'zstdDecompressSync' in zlib ? nativeZstd(zlib as ZlibWithZstd) : decompressZstd,
};

/** @throws DecompressionLimitError if the output exceeds `maxBytes`, Error if the bytes are not in that codec */
export function decompress(codec: Codec, bytes: Buffer, maxBytes = MAX_DECOMPRESSED_BYTES): Buffer {
  const plain = DECOMPRESS[codec](bytes, maxBytes);
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
}

export function gzip(bytes: Buffer): Buffer {
  return zlib.gzipSync(bytes);
}

function tooLarge(maxBytes: number): Error {
  return new DecompressionLimitError(`decompressed size exceeds ${maxBytes} bytes`);
}

function decompressGzip(bytes: Buffer, maxBytes: number): Buffer {
  return limited(maxBytes, () => zlib.gunzipSync(bytes, { maxOutputLength: maxBytes }));
}

function nativeZstd(native: ZlibWithZstd): Decompressor {
  return (bytes, maxBytes) => {
    if (zstdWindow(bytes) > maxBytes) throw tooLarge(maxBytes);
    return limited(maxBytes, () => native.zstdDecompressSync(bytes, { maxOutputLength: maxBytes }));
  };
}

function limited(maxBytes: number, work: () => Buffer): Buffer {
  try {
    return work();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : error;
  }
}

function decompressSnappy(bytes: Buffer, maxBytes: number): Uint8Array {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return snappyBlock(bytes, maxBytes, maxBytes);
  const blocks: Uint8Array[] = [];
  let left = maxBytes;
  for (let position = XERIAL_HEADER_BYTES; position < bytes.length;) {
    const end = position + 4 + bytes.readUInt32BE(position);
    const block = snappyBlock(bytes.subarray(position + 4, end), left, maxBytes);
    blocks.push(block);
    left -= block.length;
    position = end;
  }
  return Buffer.concat(blocks);
}

/** Decompresses a block, which starts with its decompressed length, seven bits per byte. */
function snappyBlock(bytes: Buffer, left: number, maxBytes: number): Uint8Array {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes.readUInt8(at);
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) break;
  }
  if (length > left) throw tooLarge(maxBytes);
  return snappy.uncompress(bytes);
}

function decompressZstd(bytes: Buffer, maxBytes: number): Uint8Array {
  if (zstdWindow(bytes) > maxBytes) throw tooLarge(maxBytes);
  const blocks: Uint8Array[] = [];
  let length = 0;
  const stream = new ZstdStream((block) => {
    length += block.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    blocks.push(block);
  });
  const frame = withNeededWindow(bytes);
  for (let at = 0; at < frame.length; at += ZSTD_STEP_BYTES)
    stream.push(frame.subarray(at, at + ZSTD_STEP_BYTES), at + ZSTD_STEP_BYTES >= frame.length);
  return Buffer.concat(blocks);
}

/**
 * Returns the frame with a window no larger than its possible output. Java's client declares 2 MiB for a batch of a
 * hundred bytes, and the library allocates and clears the whole window for each frame.
 */
function withNeededWindow(bytes: Buffer): Buffer {
  if (bytes.readUInt32LE(0) !== ZSTD_MAGIC || bytes.readUInt8(4) & ZSTD_SINGLE_SEGMENT) return bytes;
  const needed = zstdMost(bytes);
  if (needed >= zstdWindow(bytes)) return bytes;
  const bits = Math.max(ZSTD_LEAST_WINDOW_BITS, Math.ceil(Math.log2(needed)));
  const frame = Buffer.from(bytes);
  frame.writeUInt8((bits - ZSTD_LEAST_WINDOW_BITS) << 3, 5);
  return frame;
}

/**
 * Returns an upper bound on the output of a frame: the size of a compressed block is known only after decompression.
 */
function zstdMost(bytes: Buffer): number {
  const flags = bytes.readUInt8(4);
  const sizeBytes = [0, 2, 4, 8][flags >> 6] ?? 0;
  let position = 6 + ([0, 1, 2, 4][flags & 3] ?? 0) + sizeBytes;
  let most = 1;
  for (let isLast = false; !isLast;) {
    const header = bytes.readUIntLE(position, ZSTD_BLOCK_HEADER_BYTES);
    const [type, size] = [(header >> 1) & 3, header >> 3];
    isLast = (header & 1) === 1;
    most += type === ZSTD_RAW || type === ZSTD_RLE ? size : ZSTD_MAX_BLOCK_BYTES;
    position += ZSTD_BLOCK_HEADER_BYTES + (type === ZSTD_RLE ? 1 : size);
  }
  return most;
}

/** Returns a frame's window size (RFC 8878, 3.1.1.1); for a single segment, its content size. */
function zstdWindow(bytes: Buffer): number {
  const header = Buffer.alloc(ZSTD_HEADER_BYTES);
  bytes.copy(header);
  const flags = header.readUInt8(4);
  if (!(flags & 0x20)) {
    const window = header.readUInt8(5);
    return 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  }
  const at = 5 + ([0, 1, 2, 4][flags & 3] ?? 0);
  return (
    [
      () => header.readUInt8(at),
      () => header.readUInt16LE(at) + 256,
      () => header.readUInt32LE(at),
      () => Number(header.readBigUInt64LE(at)),
    ][flags >> 6]?.() ?? 0
  );
}
