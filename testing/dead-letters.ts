import type { RecordHeaders } from '../schemas/framing/framing.js';
import type { KafkaRecord } from '../kafka/port.js';
import { topicNames } from '../cluster/topics.js';
import { DeadLetterTopics } from '../operations/dead-letters/topics.js';

/** Creates a record of a dead-letter topic. */
export function letterRecord(headers: RecordHeaders, changes: Partial<KafkaRecord> = {}): KafkaRecord {
  return {
    topic: 'orders-dlt',
    partition: 1,
    offset: 7,
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    headers,
    timestamp: 1_700_000_000_000,
    ...changes,
  };
}

/** Converts text values to headers. */
export function texts(headers: Readonly<Record<string, string>>): RecordHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
}

export const LETTER_TOPICS = new DeadLetterTopics(
  topicNames('p'),
  new Map([['wine.failed', new Set(['wine.in'])]]),
);
