import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Route option of uploads that last as long as they make progress. */
export const STREAMED = { isStreamed: true } as const;

/** A request whose body has not arrived completely. */
interface Upload {
  readonly raw: FastifyRequest['raw'];
  readonly isStreamed: boolean;
  /** Bytes of the connection, in both directions, when progress was seen last. */
  bytes: number;
  /** Start of the upload or, if it is streamed, time of the last progress, milliseconds. */
  since: number;
}

/**
 * Ends uploads that take too long: a slow body must not hold a connection forever. An ordinary one has `limitMs` in all;
 * a streamed one, whose answers leave while it arrives, may pause so long. (Node's `requestTimeout` knows no exception.)
 */
export function limitUploads(app: FastifyInstance, limitMs: number): void {
  const uploads = new Set<Upload>();
  app.addHook('onRequest', (request, _reply, done) => {
    if (mayHaveBody(request)) {
      const { raw, routeOptions } = request;
      const upload = {
        raw,
        isStreamed: 'isStreamed' in routeOptions.config,
        bytes: bytesOf(raw),
        since: performance.now(),
      };
      uploads.add(upload);
      raw.on('close', () => uploads.delete(upload));
    }
    done();
  });
  const timer = setInterval(() => endExpired(uploads, performance.now() - limitMs), limitMs / 20);
  timer.unref();
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer);
    done();
  });
}

function endExpired(uploads: Set<Upload>, oldest: number): void {
  for (const upload of uploads) {
    const { raw, isStreamed } = upload;
    const bytes = bytesOf(raw);
    if (raw.complete) uploads.delete(upload);
    else if (isStreamed && bytes !== upload.bytes) {
      upload.bytes = bytes;
      upload.since = performance.now();
    } else if (upload.since < oldest) raw.destroy(new Error('the body did not arrive in time'));
  }
}

/** HTTP/2 announces no body: its streams may have one unless they have ended. */
function mayHaveBody({ headers, raw }: FastifyRequest): boolean {
  const isAnnounced = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  return isAnnounced || (raw.httpVersionMajor === 2 && !raw.complete);
}

function bytesOf({ socket }: FastifyRequest['raw']): number {
  return socket.bytesRead + socket.bytesWritten;
}
