import type { RecordHeaders } from '../framing/framing.js';
import { addressesReply } from './reply-dialects.js';
import { wildcard } from './wildcard.js';

/** Copies headers of a request to its reply. */
export type PassHeaders = (request: RecordHeaders, reply: RecordHeaders) => void;

/** Headers that describe the request's value or fate and do not apply to its reply. */
const REQUEST_ONLY_HEADERS =
  /^(content-type$|ce_|__value_schema_id$|__connect\.|inference-error$|partitura-|mlserver-)/;

/**
 * Creates a function that copies request headers to a reply, except those that describe the request or its reply
 * address, and never replacing a header of the reply.
 * @param patterns names with `*` as wildcard; empty: none
 */
export function headersToPass(patterns: readonly string[]): PassHeaders {
  if (patterns.length === 0) return () => undefined;
  const wanted = patterns.map(wildcard);
  const passes = (name: string): boolean =>
    wanted.some((pattern) => pattern.test(name)) && !REQUEST_ONLY_HEADERS.test(name) && !addressesReply(name);
  return (request, reply) => {
    for (const name of Object.keys(request))
      if (!Object.hasOwn(reply, name) && passes(name)) reply[name] = request[name];
  };
}
