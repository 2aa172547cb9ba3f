import { PassThrough, pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { FrontError, GRPC_STATUS } from '../inference/problem.js';

/** More than real tensors compress to; a bomb exceeds it by far. */
const MAX_RATIO = 200;
/** Below this size the ratio is not judged: few bytes of zeros compress well. */
const JUDGED_FROM_BYTES = 1024 * 1024;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Decompresses a body.
 * @throws FrontError 415 for an unknown encoding; the stream fails with 413 for a body that expands too far
 */
export function decompress(body: Readable, encoding: string | undefined): Readable {
  if (encoding === undefined || encoding === '' || encoding === 'identity') return body;
  const create = DECODERS[encoding.toLowerCase()];
  if (!create) throw unknownEncoding(encoding);
  const decoder = create();
  const limited = new PassThrough();
  let compressed = 0;
  body.on('data', (chunk: Buffer) => (compressed += chunk.length));
  let expanded = 0;
  decoder.on('data', (chunk: Buffer) => {
    expanded += chunk.length;
    if (expanded > JUDGED_FROM_BYTES && expanded > compressed * MAX_RATIO) decoder.destroy(bomb());
  });
  // Before the pipeline, which would end the stream with zlib's own error.
  decoder.on('error', (error) =>
    limited.destroy(error instanceof FrontError ? error : corrupt(encoding, error)),
  );
  pipeline(body, decoder, limited, () => undefined);
  return limited;
}

function bomb(): FrontError {
  return new FrontError(
    { http: 413, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED },
    'REQUEST_TOO_LARGE',
    `body: expected a compression ratio of at most ${MAX_RATIO}, got more`,
  );
}

function corrupt(encoding: string, { message }: Error): FrontError {
  return new FrontError(
    { http: 400, grpc: GRPC_STATUS.INVALID_ARGUMENT },
    'DECODE_FAILED',
    `body: expected content-encoding ${encoding}, got other bytes (${message})`,
  );
}

function unknownEncoding(encoding: string): FrontError {
  return new FrontError(
    { http: 415, grpc: GRPC_STATUS.INVALID_ARGUMENT },
    'INVALID_REQUEST',
    `header 'content-encoding': expected ${Object.keys(DECODERS).join(', ')}, got '${encoding}'`,
  );
}
