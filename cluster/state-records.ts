import type { OutgoingRecord } from '../kafka/port.js';

/** Creates a record of a topic that holds state in JSON, in one partition. */
export function stateRecord(topic: string, key: string, value: object): OutgoingRecord {
  return {
    topic,
    partition: 0,
    key: Buffer.from(key),
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
  };
}

/** Returns the JSON of a record; undefined for other content, since anybody may write to the topic. */
export function parseState(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
