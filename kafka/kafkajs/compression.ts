import kafkajs from 'kafkajs';
import { decompress, type Codec } from '../compression/compression.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** Registers the codecs that kafkajs lacks; it keeps them process-wide. */
export function registerCompression(): void {
  CompressionCodecs[CompressionTypes.Snappy] = readOnly('snappy');
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('lz4');
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('zstd');
}

function readOnly(codec: Codec) {
  return () => ({
    compress: () => Promise.reject(new Error(`${codec} is only read: send uncompressed or gzip`)),
    decompress: (buffer: Buffer) => Promise.resolve(decompress(codec, buffer)),
  });
}
