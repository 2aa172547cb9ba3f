import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { ANYBODY, type Identity } from '../auth/identity.js';
import { invalidRequest } from '../../schemas/errors.js';
import { encodeInfer } from '../dialects/open-inference/encode.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import { FrontError, GRPC_STATUS } from '../inference/problem.js';
import { formatDeferredId, parseDeferredId, type DeferredId } from './deferred-id.js';
import type { DeferredReply } from './deferred-replies.js';

/** Streams that one gateway serves at a time; each reads a partition. */
const MAX_STREAMS = 500;
/** Interval of comments that keep an idle stream open, milliseconds. */
const KEEP_ALIVE_MS = 15_000;
/** A gateway that stops does not wait for streams: they resume at another one. */
const ENDLESS = { config: { isEndless: true } };

type Named = FastifyRequest<{ Params: { readonly id: string } }>;
type StreamRequest = FastifyRequest<{ Params: { readonly stream: string } }>;

/** Adds the status resource of deferred requests, and streams of their replies as server-sent events. */
export function addDeferredRoutes(app: FastifyInstance, { deferred }: GatewayServices): void {
  let streams = 0;
  app.get('/v2/deferred/:id', async ({ params, identity }: Named, reply) => {
    const id = parseDeferredId(params.id);
    const state = await deferred.find(id);
    if (!('reply' in state)) return answerPending(reply, { ...id, from: state.from });
    const { reply: found } = state;
    if (found.model !== '') identity.requireModel(found.model);
    if (found.error) return reply.send({ id: params.id, status: 'failed', error: found.error.message });
    const { json } = encodeInfer(found, () => false);
    return reply.type('application/json').send(json);
  });
  app.get('/v2/streams/:stream', ENDLESS, async (request: StreamRequest, reply) => {
    if (streams >= MAX_STREAMS) throw tooMany();
    const after = lastEventId(request.headers['last-event-id']);
    streams++;
    reply.raw.once('close', () => streams--);
    return openStream(streamKey(request.params.stream, request.identity), after, { deferred, reply });
  });
}

/** Returns the key of a stream: with authentication, every caller has streams of its own. */
export function streamKey(name: string, identity: Identity): string {
  return identity === ANYBODY ? name : `${identity.name}/${name}`;
}

interface StreamParts extends Pick<GatewayServices, 'deferred'> {
  readonly reply: FastifyReply;
}

/** Streams replies until the caller goes away; a slow caller slows the reading down. */
async function openStream(
  name: string,
  after: number | undefined,
  { deferred, reply }: StreamParts,
): Promise<FastifyReply> {
  const body = new PassThrough();
  const send = async (event: string): Promise<void> => {
    if (!body.destroyed && !body.write(event)) await Promise.race([once(body, 'drain'), once(body, 'close')]);
  };
  let isGone = false;
  reply.raw.once('close', () => (isGone = true));
  const close = await deferred.follow(
    name,
    after,
    (answer) => send(eventOf(answer)),
    () => body.end(),
  );
  if (isGone) {
    await close();
    throw new FrontError(
      { http: 499, grpc: GRPC_STATUS.CANCELLED },
      'CANCELLED',
      'the caller closed the connection',
    );
  }
  const timer = setInterval(() => void send(':\n\n'), KEEP_ALIVE_MS);
  reply.raw.once('close', () => {
    clearInterval(timer);
    body.destroy();
    void close();
  });
  body.write(': open\n\n');
  return reply.type('text/event-stream').header('cache-control', 'no-cache').send(body);
}

/** Writes an event whose id is the offset of the reply, so that another gateway can resume after it. */
function eventOf({ offset, correlation, reply }: DeferredReply): string {
  const data = reply.error
    ? JSON.stringify({ id: reply.id, correlation, error: reply.error.message })
    : encodeInfer(reply, () => false).json.toString('utf8');
  return `id: ${offset}\nevent: ${reply.error ? 'error' : 'reply'}\ndata: ${data}\n\n`;
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  // Browsers send an empty one after an event with an empty id.
  if (header === undefined || header === '') return undefined;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw invalidRequest(`header 'Last-Event-ID': expected an offset, got '${String(header)}'`);
}

function tooMany(): FrontError {
  const message = `expected at most ${MAX_STREAMS} streams on one gateway, got one more`;
  return new FrontError({ http: 503, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED }, 'OVERLOADED', message);
}

/** Returns true if the caller asks for a deferred answer. RFC 7240, section 4.1 */
export function prefersDeferred({ headers }: FastifyRequest): boolean {
  return String(headers.prefer ?? '')
    .split(',')
    .some((preference) => preference.trim().toLowerCase() === 'respond-async');
}

/** Answers a look-up with an address that saves the next one what this one has read. */
function answerPending(reply: FastifyReply, id: DeferredId): FastifyReply {
  return accepted(reply.header('retry-after', '1'), id);
}

/** Answers a new request with the address of the status resource. */
export function answerDeferred(reply: FastifyReply, id: DeferredId): FastifyReply {
  return accepted(reply.header('preference-applied', 'respond-async'), id);
}

function accepted(reply: FastifyReply, id: DeferredId): FastifyReply {
  const text = formatDeferredId(id);
  return reply.code(202).header('location', `/v2/deferred/${text}`).send({ id: text, status: 'pending' });
}
