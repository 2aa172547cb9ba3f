import { gunzipSync, gzipSync } from 'node:zlib';
import { Decompress as ZstdStream } from 'fzstd';
import snappy from 'snappyjs';
import { decompressLz4 } from './lz4.js';

/**
 * The codecs of record batches. Strangers' producers compress with whatever their client offers; Partitura itself
 * sends uncompressed or gzip, so the other three are for reading. All are plain JavaScript: Node 20 has no zstd.
 */
export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Magic of the block framing that Java clients put around Snappy: https://github.com/xerial/snappy-java */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
/** More than any broker takes in one batch by far: beyond it, what looks like a batch is a bomb. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;
/** What is taken of a zstd frame at a time: a few bytes can stand for a block of 128 KiB. */
const ZSTD_STEP_BYTES = 4 * 1024;
const ZSTD_HEADER_BYTES = 18;

type Decompressor = (bytes: Buffer, maxBytes: number) => Uint8Array;

const DECOMPRESS: Record<Codec, Decompressor> = {
  gzip: decompressGzip,
  snappy: decompressSnappy,
  lz4: (bytes, maxBytes) => decompressLz4(bytes, maxBytes, () => tooLarge(maxBytes)),
  zstd: decompressZstd,
};

/** @throws Error when the bytes are not of that codec, or more than `maxBytes` come out of them */
export function decompress(codec: Codec, bytes: Buffer, maxBytes = MAX_DECOMPRESSED_BYTES): Buffer {
  const plain = DECOMPRESS[codec](bytes, maxBytes);
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
}

export function gzip(bytes: Buffer): Buffer {
  return gzipSync(bytes);
}

function tooLarge(maxBytes: number): Error {
  return new Error(`more than ${maxBytes} bytes come out of it`);
}

function decompressGzip(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
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

/** A block begins with the length of what comes out, seven bits to a byte. */
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
  for (let at = 0; at < bytes.length; at += ZSTD_STEP_BYTES)
    stream.push(bytes.subarray(at, at + ZSTD_STEP_BYTES), at + ZSTD_STEP_BYTES >= bytes.length);
  return Buffer.concat(blocks);
}

/** What a frame asks to be kept at hand (RFC 8878, 3.1.1.1): all of it when it is in one segment. */
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
