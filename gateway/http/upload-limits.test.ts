import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fastify from 'fastify';
import { limitUploads, STREAMED } from './upload-limits.js';

const LIMIT_MS = 400;
const CHUNKS = 12;

/** Sends a chunk every 100 ms; returns the status, or the error code of the connection. */
function upload(url: string): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const sending = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/x' } },
      (response) => response.resume().on('end', () => resolve(response.statusCode)),
    );
    sending.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    let sent = 0;
    const timer = setInterval(() => {
      if (sending.destroyed || sent++ === CHUNKS) clearInterval(timer);
      if (sent > CHUNKS) sending.end();
      else if (!sending.destroyed) sending.write('chunk');
    }, 100);
  });
}

test('a slow upload is cut at the limit; a streamed one lives as long as it makes progress', async () => {
  const app = fastify();
  limitUploads(app, LIMIT_MS);
  app.addContentTypeParser('application/x', (_request, payload, done) => done(null, payload));
  const answer = async ({ body }: { readonly body: unknown }): Promise<string> => {
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) bytes += chunk.length;
    return String(bytes);
  };
  app.post('/ordinary', answer);
  app.post('/streamed', { config: STREAMED }, answer);
  try {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    const results = await Promise.all([upload(`${url}/ordinary`), upload(`${url}/streamed`)]);
    assert.deepEqual(results, ['ECONNRESET', 200]);
  } finally {
    await app.close();
  }
});
