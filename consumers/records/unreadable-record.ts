import type { KafkaRecord, UnreadableRecords } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { VALUE_DROPPED } from '../../schemas/headers/headers.js';

/**
 * Returns a record without a value, and the error, that stand for a range of records which cannot be read: they cannot be
 * answered and must not vanish.
 */
export function unreadableRecord(
  { topic, partition, offset, lastOffset }: UnreadableRecords,
  reason: string,
  now: number,
): { record: KafkaRecord; error: PartituraError } {
  const range = `offsets ${offset} to ${lastOffset} cannot be read`;
  const headers = { [VALUE_DROPPED]: Buffer.from(range) };
  const record = { topic, partition, offset: lastOffset, key: null, value: null, headers, timestamp: now };
  return { record, error: new PartituraError('DECODE_FAILED', `${range}: ${reason}`) };
}
