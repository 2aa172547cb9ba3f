import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { PartituraError } from '../../schemas/errors.js';
import { GrowingBuffer } from './growing-buffer.js';

/** Called once: with a body, or with the reason why there is none. */
export type BodyCollected = (error: Error | null, body?: Buffer) => void;

const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * Reads a whole body; above the limit, the reason is REQUEST_TOO_LARGE. Most bodies are one chunk, which is not copied; one
 * of many tiny chunks takes no more memory than its bytes.
 */
export function collectBody(
  { headers }: FastifyRequest,
  payload: Readable,
  maxBytes: number,
  onCollected: BodyCollected,
): void {
  const isEncoded = headers['content-encoding'] !== undefined;
  if (!isEncoded && Number(headers['content-length']) > maxBytes) return onCollected(tooLarge(maxBytes));
  let first = NO_BYTES;
  let joined: GrowingBuffer | undefined;
  let isOver = false;
  const end = (error: Error | null): void => {
    if (isOver) return;
    isOver = true;
    if (error) onCollected(error);
    else onCollected(null, joined?.take() ?? first);
  };
  payload.on('data', (chunk: Buffer) => {
    if (isOver) return;
    if ((joined ?? first).length + chunk.length > maxBytes) end(tooLarge(maxBytes));
    else if (joined) joined.push(chunk);
    else if (first.length === 0) first = chunk;
    else joined = joining(first, chunk);
  });
  payload.on('end', () => end(null));
  payload.on('error', end);
}

function joining(...chunks: Buffer[]): GrowingBuffer {
  const joined = new GrowingBuffer();
  for (const chunk of chunks) joined.push(chunk);
  return joined;
}

function tooLarge(maxBytes: number): PartituraError {
  return new PartituraError('REQUEST_TOO_LARGE', `body: expected at most ${maxBytes} bytes, got more`);
}
