import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { PartituraError } from '../../schemas/errors.js';
import { GrowingBuffer } from './growing-buffer.js';

/**
 * Reads a whole body. A body of many tiny chunks takes no more memory than its bytes.
 * @throws PartituraError REQUEST_TOO_LARGE above the limit
 */
export async function collectBody(
  { headers }: FastifyRequest,
  payload: Readable,
  maxBytes: number,
): Promise<Buffer> {
  const isEncoded = headers['content-encoding'] !== undefined;
  if (!isEncoded && Number(headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
  const collected = new GrowingBuffer();
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    if (collected.length + chunk.length > maxBytes) throw tooLarge(maxBytes);
    collected.push(chunk);
  }
  return collected.take();
}

function tooLarge(maxBytes: number): PartituraError {
  return new PartituraError('REQUEST_TOO_LARGE', `body: expected at most ${maxBytes} bytes, got more`);
}
