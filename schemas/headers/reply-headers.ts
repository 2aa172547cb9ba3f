import type { RecordHeaders } from '../framing/framing.js';
import { addressesReply } from './reply-dialects.js';
import { wildcard } from './wildcard.js';

/** Adds headers of a request to those of its reply. */
export type PassHeaders = (request: RecordHeaders, reply: RecordHeaders) => void;

/** What says how a value is to be read, or what became of a record: of the request, not of its reply. */
const OF_THE_REQUEST =
  /^(content-type$|ce_|__value_schema_id$|__connect\.|inference-error$|partitura-|mlserver-)/;

/**
 * Headers of a request that its reply has, too; never such as say how the request is to be read or answered, and never in
 * the place of one of the reply's own.
 * @param patterns names with `*` as wildcard; empty: none
 */
export function headersToPass(patterns: readonly string[]): PassHeaders {
  if (patterns.length === 0) return () => undefined;
  const wanted = patterns.map(wildcard);
  const passes = (name: string): boolean =>
    wanted.some((pattern) => pattern.test(name)) && !OF_THE_REQUEST.test(name) && !addressesReply(name);
  return (request, reply) => {
    for (const name of Object.keys(request))
      if (!Object.hasOwn(reply, name) && passes(name)) reply[name] = request[name];
  };
}
