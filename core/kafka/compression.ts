import { gunzipSync, gzipSync } from 'node:zlib';
import { decompress as decompressZstd } from 'fzstd';
import lz4 from 'lz4js';
import snappy from 'snappyjs';

/**
 * The codecs of record batches. Strangers' producers compress with whatever their client offers; Partitura itself
 * sends uncompressed or gzip, so the other three are for reading. All are plain JavaScript: Node 20 has no zstd.
 */
export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Magic of the block framing that Java clients put around Snappy: https://github.com/xerial/snappy-java */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
/** More than any broker takes in one batch by far: beyond it, what looks like a batch is a bomb. */
const MAX_DECOMPRESSED_BYTES = 1024 * 1024 * 1024;

const DECOMPRESS: Record<Codec, (bytes: Buffer) => Uint8Array> = {
  gzip: (bytes) => gunzipSync(bytes, { maxOutputLength: MAX_DECOMPRESSED_BYTES }),
  snappy: decompressSnappy,
  lz4: (bytes) => lz4.decompress(bytes),
  zstd: (bytes) => decompressZstd(bytes),
};

/** @throws Error when the bytes are not of that codec */
export function decompress(codec: Codec, bytes: Buffer): Buffer {
  const plain = DECOMPRESS[codec](bytes);
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
}

export function gzip(bytes: Buffer): Buffer {
  return gzipSync(bytes);
}

function decompressSnappy(bytes: Buffer): Uint8Array {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return snappy.uncompress(bytes);
  const blocks: Uint8Array[] = [];
  for (let position = XERIAL_HEADER_BYTES; position < bytes.length;) {
    const end = position + 4 + bytes.readUInt32BE(position);
    blocks.push(snappy.uncompress(bytes.subarray(position + 4, end)));
    position = end;
  }
  return Buffer.concat(blocks);
}
