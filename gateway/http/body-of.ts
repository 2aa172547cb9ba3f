import type { FastifyRequest } from 'fastify';

/** Returns the bytes of a request's body; none if it has no body. */
export function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
