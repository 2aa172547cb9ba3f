import type { RecordHeaders } from '../framing/framing.js';
import type { ReplyDialect } from './dialects/dialect.js';
import { nestDialect } from './dialects/nest.js';
import { plainDialect } from './dialects/plain.js';
import { smallRyeDialect } from './dialects/smallrye.js';
import { springDialect } from './dialects/spring.js';

/** Dialects in order of detection: more specific ones first. */
const DIALECTS: readonly ReplyDialect[] = [nestDialect, springDialect, smallRyeDialect, plainDialect];

const ADDRESSES: ReadonlySet<string> = new Set(DIALECTS.flatMap(({ addressHeaders }) => addressHeaders));

/** Returns true for headers that hold the reply address or the correlation id. */
export function addressesReply(name: string): boolean {
  return ADDRESSES.has(name);
}

/** Detects the dialect of a request's headers; plain if no other matches. */
export function detectDialect(headers: RecordHeaders): ReplyDialect {
  return DIALECTS.find((one) => one.detects(headers)) ?? plainDialect;
}

export {
  parsePartition,
  type MarkedError,
  type ReplyAddress,
  type ReplyDialect,
} from './dialects/dialect.js';
export { correlationOf, plainDialect, replyTo } from './dialects/plain.js';
