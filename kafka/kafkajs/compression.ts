import kafkajs from 'kafkajs';
import { decompress, type Codec } from '../compression/compression.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** Registers the codecs that kafkajs lacks, for the whole process. */
export function registerCompression(): void {
  CompressionCodecs[CompressionTypes.Snappy] = readOnly('snappy');
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('lz4');
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('zstd');
}

function readOnly(codec: Codec) {
  return () => ({
    compress: () => Promise.reject(new Error(`${codec} is read-only: send uncompressed or with gzip`)),
    decompress: (buffer: Buffer) => Promise.resolve(decompress(codec, buffer)),
  });
}
