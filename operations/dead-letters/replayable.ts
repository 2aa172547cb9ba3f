import { REPLAYS } from '../../schemas/headers/headers.js';
import type { DeadLetter, Origin } from './dead-letter.js';
import type { DeadLetterTopics } from './topics.js';

/** What may be replayed: where to, or why not. */
export type Replayable = { readonly to: Origin } | { readonly refusal: string };

/**
 * Decides by the letter alone. A letter names the topic that it goes to, and whoever wrote it may be anybody: topics that a
 * cluster keeps for itself are refused, as is what would only go round.
 */
export function replayable(letter: DeadLetter, topics: DeadLetterTopics, maxReplays: number): Replayable {
  const { replays, valueDropped } = letter;
  const origin = originOf(letter, topics);
  if (typeof origin === 'string') return { refusal: origin };
  if (valueDropped !== undefined) return { refusal: `its value was not kept: ${valueDropped}` };
  if (Number.isNaN(replays)) return { refusal: `its header ${REPLAYS} is not a number` };
  if (replays >= maxReplays) return { refusal: `came back ${replays} times (--max-replays ${maxReplays})` };
  const refusal = refusedTopic(origin.topic, letter, topics);
  return refusal === undefined ? { to: origin } : { refusal };
}

/** Text that says why there is none. */
function originOf({ origin, origins, record }: DeadLetter, topics: DeadLetterTopics): Origin | string {
  const expected = topics.originsOf(record.topic);
  if (!expected) return origin ?? 'no header names the topic that it came from';
  const believed = origins.find(({ topic }) => expected.has(topic));
  return believed ?? `no header says that it came from ${[...expected].join(' or ')}`;
}

function refusedTopic(topic: string, { record }: DeadLetter, topics: DeadLetterTopics): string | undefined {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic)) return 'its header names no topic that could exist';
  if (topic === record.topic) return 'it came from this very topic';
  if (topics.isReserved(topic)) return `it came from ${topic}, where records of others do not belong`;
  if (topics.holdsLetters(topic)) return `it came from ${topic}, a dead-letter topic`;
  return undefined;
}
