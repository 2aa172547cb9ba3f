import { lacking } from '../../cluster/acls.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import { KafkaError } from '../../kafka/port.js';
import type { Foundation } from './foundation.js';

/** A topic that a node can do without. */
export interface OptionalTopic {
  readonly topic: string;
  /** Log message if it cannot be read, with the consequence. */
  readonly unreadable: string;
}

/** Starts following a topic; without the right to read it, or without the topic, the node warns and serves all the same. */
export async function startFollowing(
  follower: { start(): Promise<void> },
  { topic, unreadable }: OptionalTopic,
  { outage, lifecycle, log }: Pick<Foundation, 'outage' | 'lifecycle' | 'log'>,
): Promise<void> {
  try {
    await untilAvailable(() => follower.start(), outage, lifecycle.closing);
  } catch (error) {
    const isMissing =
      error instanceof KafkaError && (error.kind === 'not-authorized' || error.kind === 'unknown-topic');
    if (!isMissing) throw error;
    log.warn({ reason: lacking('node', 'READ', `topic ${topic}`, error.message) }, unreadable);
  }
}
