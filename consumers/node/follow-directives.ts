import { lacking } from '../../cluster/acls.js';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import { KafkaError } from '../../kafka/port.js';
import type { Foundation } from './foundation.js';

/** Starts following the control topic. A node that may not read it serves what its repository holds. */
export async function startDirectives(
  directives: LiveDirectives,
  { outage, lifecycle, topics, log }: Pick<Foundation, 'outage' | 'lifecycle' | 'topics' | 'log'>,
): Promise<void> {
  try {
    await untilAvailable(() => directives.start(), outage, lifecycle.closing);
  } catch (error) {
    const isMissing =
      error instanceof KafkaError && (error.kind === 'not-authorized' || error.kind === 'unknown-topic');
    if (!isMissing) throw error;
    const reason = lacking('node', 'READ', `topic ${topics.control}`, error.message);
    log.warn({ reason }, 'control topic cannot be read; load, unload and drain do not reach this node');
  }
}
