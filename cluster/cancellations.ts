import { z } from 'zod';
import type { KafkaRecord, OutgoingRecord } from '../kafka/port.js';

/**
 * Requests that their callers have abandoned, on a topic of their own: each record names many by their correlation ids,
 * `{"correlations":["…"]}`. Nodes follow it from its end and do not compute what they have not begun.
 */

/** Limits on a record: anybody may write to the topic. */
export const MAX_CORRELATIONS = 1_000;
const MAX_BYTES = 256 * 1_024;

const cancellation = z.object({ correlations: z.array(z.string().min(1).max(200)).max(MAX_CORRELATIONS) });

/** Creates a record. @param correlations at most `MAX_CORRELATIONS` */
export function cancellationRecord(topic: string, correlations: readonly string[]): OutgoingRecord {
  const value = Buffer.from(JSON.stringify({ correlations }));
  return { topic, partition: 0, key: null, value, headers: {} };
}

/** Reads the correlation ids of a record; none for one that is no cancellation. */
export function readCancellation({ value }: Pick<KafkaRecord, 'value'>): readonly string[] {
  if (value === null || value.length > MAX_BYTES) return [];
  try {
    return cancellation.safeParse(JSON.parse(value.toString('utf8'))).data?.correlations ?? [];
  } catch {
    return [];
  }
}
