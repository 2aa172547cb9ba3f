import kafkajs from 'kafkajs';
import { decompress as decompressZstd } from 'fzstd';
import lz4 from 'lz4js';
import snappy from 'snappyjs';

/**
 * Strangers' producers compress with whatever their client offers; kafkajs brings gzip only. Partitura
 * itself sends uncompressed or gzip, so the other three are for reading.
 */
const { CompressionCodecs, CompressionTypes } = kafkajs;

/** Magic of the block framing that Java clients put around Snappy: https://github.com/xerial/snappy-java */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

/** Registers the codecs with kafkajs, which keeps them process-wide. */
export function registerCompression(): void {
  CompressionCodecs[CompressionTypes.Snappy] = readOnly('snappy', decompressSnappy);
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('lz4', (buffer) => Buffer.from(lz4.decompress(buffer)));
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('zstd', (buffer) =>
    Buffer.from(decompressZstd(buffer)),
  );
}

function readOnly(name: string, decompress: (buffer: Buffer) => Buffer) {
  return () => ({
    compress: () => Promise.reject(new Error(`${name} is only read: send uncompressed or gzip`)),
    decompress: (buffer: Buffer) => Promise.resolve(decompress(buffer)),
  });
}

function decompressSnappy(buffer: Buffer): Buffer {
  if (!buffer.subarray(0, XERIAL.length).equals(XERIAL)) return Buffer.from(snappy.uncompress(buffer));
  const blocks: Buffer[] = [];
  for (let position = XERIAL_HEADER_BYTES; position < buffer.length;) {
    const end = position + 4 + buffer.readUInt32BE(position);
    blocks.push(Buffer.from(snappy.uncompress(buffer.subarray(position + 4, end))));
    position = end;
  }
  return Buffer.concat(blocks);
}
