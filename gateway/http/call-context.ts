import type { FastifyReply, FastifyRequest } from 'fastify';
import { CallerSignal } from '../inference/caller-signal.js';
import type { CallContext } from '../inference/inferences.js';
import { invalidRequest } from '../../schemas/errors.js';

const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'];
/** Units of `grpc-timeout`, in milliseconds. https://grpc.github.io/grpc/core/md_doc__p_r_o_t_o_c_o_l-_h_t_t_p2.html */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Reads what a request's headers and its connection say about the call. @throws PartituraError INVALID_REQUEST */
export function callContextOf(
  request: FastifyRequest,
  reply: FastifyReply,
  defaultTimeoutMs: number,
): CallContext {
  return {
    identity: request.identity,
    timeoutMs: timeoutOf(request.headers, defaultTimeoutMs),
    signal: abandonedSignal(request, reply),
    headers: traceHeaders(request.headers),
  };
}

type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Reads the time that the caller waits, in milliseconds: `X-Request-Timeout-Ms`, `grpc-timeout`, or `timeout`, which is
 * in seconds unless it has a unit of `grpc-timeout`. The shortest counts.
 * @throws PartituraError INVALID_REQUEST that names the header
 */
export function timeoutOf(headers: HttpHeaders, defaultMs: number): number {
  const given = [
    positive(headers, 'x-request-timeout-ms', (text) => Number(text)),
    positive(headers, 'grpc-timeout', withUnit),
    positive(headers, 'timeout', (text) => withUnit(text) ?? Number(text) * 1_000),
  ].filter((value) => value !== undefined);
  return given.length === 0 ? defaultMs : Math.min(...given);
}

function positive(
  headers: HttpHeaders,
  name: string,
  parse: (text: string) => number | undefined,
): number | undefined {
  const text = headers[name];
  if (typeof text !== 'string' || text === '') return undefined;
  const value = parse(text.trim());
  if (value !== undefined && Number.isFinite(value) && value > 0) return value;
  throw invalidRequest(`header '${name}': expected a positive time, got '${text}'`);
}

function withUnit(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (UNITS[unit] ?? NaN);
}

/** Returns a signal that aborts when the connection closes before the response is complete. */
function abandonedSignal(request: FastifyRequest, reply: FastifyReply): CallerSignal {
  const signal = new CallerSignal();
  const abort = (): void => signal.abort('the caller closed the connection');
  reply.raw.on('close', () => {
    if (!reply.raw.writableEnded) abort();
  });
  if (request.raw.destroyed && !request.raw.complete) abort();
  return signal;
}

/** Returns the headers of W3C Trace Context and Baggage, which the node continues. */
export function traceHeaders(headers: Readonly<Record<string, unknown>>): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (const name of TRACE_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') found[name] = Buffer.from(value);
  }
  return found;
}
