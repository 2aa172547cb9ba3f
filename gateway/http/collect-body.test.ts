import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import fastify, { type FastifyRequest } from 'fastify';
import { collectBody, type BodyCollected } from './collect-body.js';

const MAX_BYTES = 1_000;
const app = fastify();
before(async () => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request: FastifyRequest, payload: Readable, done: BodyCollected) =>
    collectBody(request, payload, MAX_BYTES, done),
  );
  app.post('/', ({ body }) => (body as Buffer).toString('hex'));
  await app.listen({ host: '127.0.0.1', port: 0 });
});
after(() => app.close());

/** Sends chunks without a length, one after the other; returns status and body of the answer. */
async function send(chunks: readonly Buffer[]): Promise<string> {
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sending = request({ port, method: 'POST', headers: { 'content-type': 'x/y' } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
    });
    sending.on('error', reject);
    const next = (index: number): void => {
      const chunk = chunks[index];
      if (chunk) sending.write(chunk, () => setImmediate(next, index + 1));
      else sending.end();
    };
    next(0);
  });
}

test('a body is the same in one chunk and in many', async () => {
  const bytes = Buffer.from(Array.from({ length: MAX_BYTES }, (_, index) => index % 251));
  for (const size of [MAX_BYTES, 300, 7]) {
    const count = Math.ceil(MAX_BYTES / size);
    const chunks = Array.from({ length: count }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    assert.equal(await send(chunks), `200 ${bytes.toString('hex')}`);
  }
});

test('a body that exceeds the limit without having said so is refused with a sentence', async () => {
  const chunks = Array.from({ length: 5 }, () => Buffer.alloc(250));
  const refused = await send(chunks);
  assert.match(refused, /expected at most 1000 bytes, got more/);
});
