import { gzipSync } from 'node:zlib';
import lz4 from 'lz4js';
import { hash } from 'lz4js/xxh32.js';
import snappy from 'snappyjs';

const RUN_BYTES = 128 * 1024;
/** Start of a zstd frame as written by Java's client: magic, no content size, a window of 2 MiB. */
const ZSTD_HEADER = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]);
const LZ4_FLAGS = 4;
const LZ4_CHECKSUM = 6;
const LZ4_INDEPENDENT = 0x20;
const RAW = 0;
const RUN = 1;

/** Encoding of a batch's records in one codec, with its number in the batch's attributes. */
export interface Packing {
  readonly name: string;
  readonly codec: number;
  pack(plain: Buffer, run: Run): Buffer;
}

/** A run of equal bytes within `plain`. */
export interface Run {
  readonly start: number;
  readonly length: number;
}

export const PACKINGS: readonly Packing[] = [
  { name: 'none', codec: 0, pack: (plain) => plain },
  { name: 'gzip', codec: 1, pack: (plain) => gzipSync(plain) },
  { name: 'snappy', codec: 2, pack: (plain) => Buffer.from(snappy.compress(plain)) },
  { name: 'lz4', codec: 3, pack: packLz4 },
  { name: 'zstd', codec: 4, pack: packZstd },
];

/**
 * Compresses with the library, which writes one block below 4 MiB; brokers require the flag for independent blocks.
 */
function packLz4(plain: Buffer): Buffer {
  const frame = Buffer.from(lz4.compress(plain));
  frame.writeUInt8(frame.readUInt8(LZ4_FLAGS) | LZ4_INDEPENDENT, LZ4_FLAGS);
  const descriptor = frame.subarray(LZ4_FLAGS, LZ4_CHECKSUM);
  frame.writeUInt8((hash(0, descriptor, 0, descriptor.length) >>> 8) & 0xff, LZ4_CHECKSUM);
  return frame;
}

/** Encodes zstd, which Node 20 cannot write: a raw block, one block per part of the run, and a raw block. */
function packZstd(plain: Buffer, { start, length }: Run): Buffer {
  const blocks = [block(plain.subarray(0, start), RAW, start, false)];
  for (let left = length; left > 0; left -= RUN_BYTES)
    blocks.push(block(plain.subarray(start, start + 1), RUN, Math.min(left, RUN_BYTES), false));
  const rest = plain.subarray(start + length);
  return Buffer.concat([ZSTD_HEADER, ...blocks, block(rest, RAW, rest.length, true)]);
}

function block(bytes: Buffer, type: number, size: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
  return Buffer.concat([header, bytes]);
}
