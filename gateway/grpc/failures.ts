import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { GRPC_STATUS, problemOf, type Problem } from '../inference/problem.js';

/** Trailers have to fit the header limits of every client. */
const MAX_MESSAGE_CHARACTERS = 2_000;
/** Trailer that tells clients when to retry. https://github.com/grpc/proposal/blob/master/A6-client-retries.md */
const RETRY_AFTER = 'grpc-retry-pushback-ms';
const NAMES = new Map<number, string>(Object.entries(GRPC_STATUS).map(([name, code]) => [code, name]));

/** Returns the name of a status code, as metrics show it. */
export function statusName(code: number): string {
  return NAMES.get(code) ?? String(code);
}

/** Classifies a failure. A call that ended at its deadline looks cancelled, too. */
export function callProblem(error: unknown, deadline: Date | number): Problem {
  const problem = problemOf(error);
  const isLate = problem.grpc === GRPC_STATUS.CANCELLED && Number(deadline) <= Date.now();
  return isLate
    ? { ...problem, grpc: GRPC_STATUS.DEADLINE_EXCEEDED, http: 504, code: 'DEADLINE_EXCEEDED' }
    : problem;
}

/** Returns a problem as the status that ends a call. */
export function statusOf({ grpc, message, retryAfterSeconds }: Problem): StatusObject {
  const metadata = new Metadata();
  if (retryAfterSeconds !== undefined) metadata.set(RETRY_AFTER, String(retryAfterSeconds * 1_000));
  return { code: grpc, details: sentence(message), metadata };
}

/** Shortens a message, and replaces halves of characters, which percent-encoding would refuse. */
export function sentence(message: string): string {
  return Buffer.from(message.slice(0, MAX_MESSAGE_CHARACTERS)).toString('utf8');
}
