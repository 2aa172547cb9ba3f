import type { KafkaAdmin } from '../kafka/port.js';
import type { Logger } from '../core/log.js';

/** A batch of one record, with headers, around its value. */
export const ROOM_AROUND_VALUE = 16 * 1024;
/** Below this, requests of any use would be refused: such a topic can only be mended itself. */
const LEAST_RECORD_BYTES = 16 * 1024;
const SETTING = 'max.message.bytes';

/**
 * What must be changed so that a topic takes records of the configured size; undefined when nothing must.
 * @param topicBytes the largest batch that the topic takes
 */
export function recordLimitProblem(
  topic: string,
  topicBytes: number,
  maxRecordBytes: number,
): string | undefined {
  const needed = maxRecordBytes + ROOM_AROUND_VALUE;
  if (topicBytes >= needed) return undefined;
  const raise = `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${SETTING}=${needed}`;
  const lower = topicBytes - ROOM_AROUND_VALUE;
  const orLower = lower < LEAST_RECORD_BYTES ? '' : ` or set PARTITURA_MAX_RECORD_BYTES=${lower}`;
  return `topic ${topic} takes at most ${topicBytes} bytes, and records may have ${maxRecordBytes}: raise its limit (${raise})${orLower}`;
}

/** Holds the limits of topics against the configured record size and warns, with the way out, where they disagree. */
export async function checkRecordLimits(
  admin: Pick<KafkaAdmin, 'topicSettings'>,
  topics: readonly string[],
  maxRecordBytes: number,
  log: Pick<Logger, 'warn' | 'debug'>,
): Promise<void> {
  for (const topic of topics) {
    try {
      const topicBytes = Number((await admin.topicSettings(topic, [SETTING])).get(SETTING) ?? Infinity);
      const problem = recordLimitProblem(topic, topicBytes, maxRecordBytes);
      if (problem) log.warn({ topic, topicBytes, maxRecordBytes }, problem);
    } catch (error) {
      // Describing topics is a permission of its own: a node that lacks it serves all the same.
      log.debug({ err: error, topic }, 'the limits of a topic could not be checked');
    }
  }
}
