import type { onSendHookHandler } from 'fastify';
import { gzip } from 'node:zlib';

/** Smaller responses fit a few packets and are not worth the processor time. */
const FROM_BYTES = 8 * 1024;
const FAST = { level: 1 };

/** Compresses a large response if the caller accepts gzip. An `onSend` hook of fastify. */
export const compress: onSendHookHandler = (request, reply, payload, done) => {
  const isLarge = (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length >= FROM_BYTES;
  if (!isLarge || reply.hasHeader('content-encoding') || !acceptsGzip(request.headers['accept-encoding']))
    return done(null, payload);
  void reply
    .header('content-encoding', 'gzip')
    .header('vary', 'accept-encoding')
    .removeHeader('content-length');
  gzip(payload, FAST, done);
};

/** Reads an `Accept-Encoding` header. RFC 9110, section 12.5.3 */
function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((part) => /^\s*(gzip|\*)\s*(;|$)/i.test(part) && !/;\s*q=0(\.0*)?\s*$/i.test(part));
}
