import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import lz4 from 'lz4js';
import snappy from 'snappyjs';
import { decompress, type Codec } from './compression.js';

const MIB = 1024 * 1024;

/** Builds a zstd frame of single-byte runs: four bytes per 128 KiB. The window is encoded as in RFC 8878. */
function zstdRuns(runs: number, window = 0x38): Buffer {
  const blocks = Array.from({ length: runs }, (_, index) => {
    const block = Buffer.alloc(4, 'x');
    block.writeUIntLE((131_072 << 3) | 2 | (index === runs - 1 ? 1 : 0), 0, 3);
    return block;
  });
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window]), ...blocks]);
}

function xerial(...blocks: Uint8Array[]): Buffer {
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([Buffer.from('82534e41505059000000000100000001', 'hex'), ...framed]);
}

const plain = Buffer.alloc(2 * MIB, 'x');
const compressed: [string, Codec, Buffer][] = [
  ['gzip', 'gzip', gzipSync(plain)],
  ['snappy', 'snappy', Buffer.from(snappy.compress(plain))],
  ['snappy in blocks', 'snappy', xerial(...[0, 1].map(() => snappy.compress(plain.subarray(MIB))))],
  ['lz4', 'lz4', Buffer.from(lz4.compress(plain))],
  ['zstd', 'zstd', zstdRuns(16)],
];

for (const [name, codec, bytes] of compressed)
  test(`${name}: output within the limit is complete, larger output is refused`, () => {
    assert.ok(decompress(codec, bytes, plain.length).equals(plain));
    assert.throws(() => decompress(codec, bytes, plain.length - 1), {
      message: `decompressed size exceeds ${plain.length - 1} bytes`,
    });
  });

test('the limit is 256 MiB, for every codec', () => {
  assert.throws(() => decompress('zstd', zstdRuns(2_049)), /exceeds 268435456 bytes/);
});

test('a frame that merely declares a large size is refused before any allocation', () => {
  assert.throws(() => decompress('zstd', zstdRuns(1, 0xa0)), /exceeds/);
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  assert.throws(() => decompress('zstd', header), /exceeds/);
  assert.throws(() => decompress('snappy', Buffer.from('ffffffff0f00', 'hex')), /exceeds/);
});

test('an lz4 frame of incompressible bytes is read, with content size and block checksums', () => {
  const block = randomBytes(100);
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x58, 0x40, ...Buffer.alloc(8, 0xff), 0]);
  const size = Buffer.from([100, 0, 0, 0x80]);
  const checksum = Buffer.alloc(4);
  const frame = Buffer.concat([header, size, block, checksum, size, block, checksum, Buffer.alloc(4)]);
  assert.ok(decompress('lz4', frame).equals(Buffer.concat([block, block])));
  assert.throws(() => decompress('lz4', frame.subarray(0, 50)), /truncated/);
});
