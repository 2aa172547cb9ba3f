import { Writer } from '../../platformatic/index.js';

/**
 * Encoding of subscriptions and assignments in a classic group (https://kafka.apache.org/protocol, "consumer"
 * protocol type). Name and format are those of kafkajs, so a group may have members with both clients during a
 * rolling upgrade.
 */
export const ASSIGNER = 'RoundRobinAssigner';
const VERSION = 0;
const NO_USER_DATA = Buffer.alloc(0);

export function encodeSubscription(topic: string): Buffer {
  return Writer.create()
    .appendInt16(VERSION)
    .appendArray([topic], (writer, name) => writer.appendString(name, false), false, false)
    .appendBytes(NO_USER_DATA, false).buffer;
}

export function encodeAssignment(topic: string, partitions: readonly number[]): Buffer {
  return Writer.create()
    .appendInt16(VERSION)
    .appendArray(
      [topic],
      (writer, name) =>
        writer
          .appendString(name, false)
          .appendArray([...partitions], (inner, partition) => inner.appendInt32(partition), false, false),
      false,
      false,
    )
    .appendBytes(NO_USER_DATA, false).buffer;
}

/** Decodes the topic's partitions in an assignment; none if it is empty, as for surplus members. */
export function decodeAssignment(topic: string, bytes: Buffer): number[] {
  if (bytes.length === 0) return [];
  let position = 2;
  const int32 = (): number => bytes.readInt32BE((position += 4) - 4);
  const partitions: number[] = [];
  for (let topics = int32(); topics > 0; topics--) {
    const nameLength = bytes.readInt16BE(position);
    const name = bytes.toString('utf8', position + 2, position + 2 + nameLength);
    position += 2 + nameLength;
    for (let left = int32(); left > 0; left--) {
      const partition = int32();
      if (name === topic) partitions.push(partition);
    }
  }
  return partitions;
}
