import { Writer } from '@platformatic/kafka';

/**
 * What members of a classic group tell each other about topics and partitions
 * (https://kafka.apache.org/protocol, "consumer" protocol type). It is kafkajs's protocol under
 * kafkajs's name, so a group may have members of both clients while one is exchanged for the other.
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

/** Partitions of the topic in an assignment; none when it is empty, as it is for members that got nothing. */
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
