import { REPLAYS } from '../../schemas/headers/headers.js';
import type { DeadLetter, Origin } from './dead-letter.js';
import type { DeadLetterTopics } from './topics.js';

/** The decision on a replay: its target, or the reason for refusing it. */
export type Replayable = { readonly to: Origin } | { readonly refusal: string };

/**
 * Decides by the letter alone. Its headers choose the target topic, and any client may have written them: internal topics
 * and replay loops are refused.
 */
export function replayable(letter: DeadLetter, topics: DeadLetterTopics, maxReplays: number): Replayable {
  const { replays, valueDropped } = letter;
  const origin = originOf(letter, topics);
  if (typeof origin === 'string') return { refusal: origin };
  if (valueDropped !== undefined) return { refusal: `its value was dropped: ${valueDropped}` };
  if (Number.isNaN(replays)) return { refusal: `header ${REPLAYS} is not a number` };
  if (replays >= maxReplays) return { refusal: `came back ${replays} times (--max-replays ${maxReplays})` };
  const refusal = refusedTopic(origin.topic, letter, topics);
  return refusal === undefined ? { to: origin } : { refusal };
}

/** Returns the origin, or the reason why there is none. */
function originOf({ origin, origins, record }: DeadLetter, topics: DeadLetterTopics): Origin | string {
  const expected = topics.originsOf(record.topic);
  if (!expected) return origin ?? 'no header names its original topic';
  const believed = origins.find(({ topic }) => expected.has(topic));
  return believed ?? `no header names the expected origin ${[...expected].join(' or ')}`;
}

function refusedTopic(topic: string, { record }: DeadLetter, topics: DeadLetterTopics): string | undefined {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic)) return 'its origin is not a valid topic name';
  if (topic === record.topic) return 'its origin is this very topic';
  if (topics.isReserved(topic)) return `its origin ${topic} is an internal topic`;
  if (topics.holdsLetters(topic)) return `its origin ${topic} is a dead-letter topic`;
  return undefined;
}
