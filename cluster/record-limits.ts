import type { KafkaAdmin } from '../kafka/port.js';
import type { Logger } from '../core/log.js';

/** Overhead of a single-record batch, including headers, around its value. */
export const ROOM_AROUND_VALUE = 16 * 1024;
/** Below this, all useful requests would be refused; only the topic limit can be raised. */
const LEAST_RECORD_BYTES = 16 * 1024;
const SETTING = 'max.message.bytes';

/**
 * Describes the change needed for a topic to accept records of the configured size; undefined if none is needed.
 * @param topicBytes maximum batch size of the topic
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

/** Compares topic limits with the configured record size and logs a warning with a remedy if they conflict. */
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
      // Describing topics is a separate permission: a node works without it.
      log.debug({ err: error, topic }, 'could not check the topic limits');
    }
  }
}
