import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { decompress } from './decompress.js';

const TEXT = Buffer.from('{"instances":[[1,2]]}');

async function read(chunks: readonly Buffer[], encoding: string | undefined): Promise<Buffer> {
  const decoded: Buffer[] = [];
  for await (const chunk of decompress(Readable.from(chunks), encoding)) decoded.push(chunk as Buffer);
  return Buffer.concat(decoded);
}

test('a body in each encoding is decompressed', async () => {
  const bodies = [
    ['gzip', gzipSync(TEXT)],
    ['X-GZIP', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['identity', TEXT],
    [undefined, TEXT],
  ] as const;
  for (const [encoding, body] of bodies) assert.deepEqual(await read([body], encoding), TEXT, encoding);
});

test('a corrupt or cut body is refused with 400 and its encoding', async () => {
  const cut = gzipSync(TEXT).subarray(0, -4);
  const broken = [
    ['gzip', [Buffer.from('not compressed')]],
    ['gzip', [...TEXT].map((byte) => Buffer.from([byte]))],
    ['gzip', [cut]],
    ['deflate', [Buffer.from('not compressed')]],
    ['br', [Buffer.from('not compressed')]],
  ] as const;
  for (const [encoding, chunks] of broken)
    await assert.rejects(read(chunks, encoding), {
      name: 'FrontError',
      status: { http: 400, grpc: 3 },
      message: new RegExp(`^body: expected content-encoding ${encoding}, got other bytes`),
    });
});

test('a body that expands too far is refused with 413', async () => {
  await assert.rejects(read([gzipSync(Buffer.alloc(8 * 1024 * 1024))], 'gzip'), {
    status: { http: 413, grpc: 8 },
    message: 'body: expected a compression ratio of at most 200, got more',
  });
});

test('an unknown encoding is refused with 415', () => {
  assert.throws(() => decompress(Readable.from([TEXT]), 'zip'), {
    message: "header 'content-encoding': expected gzip, x-gzip, deflate, br, got 'zip'",
  });
});
