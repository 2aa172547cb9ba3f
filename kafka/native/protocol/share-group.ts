import { Writer } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import { brokerError, errorName } from '../transport/errors.js';
import type { OwnRequest } from './send.js';

/** Keys of the requests of share groups (KIP-932), with the versions of Kafka 4.2, the first release for production. */
export const SHARE_REQUESTS = {
  ShareGroupHeartbeat: [76, 1],
  ShareFetch: [78, 2],
  ShareAcknowledge: [79, 2],
} as const;

const UUID_BYTES = 16;

export interface ShareHeartbeat {
  readonly group: string;
  readonly memberId: string;
  /** 0 joins, -1 leaves. */
  readonly epoch: number;
  /** Null if unchanged since the last heartbeat. */
  readonly topics: readonly string[] | null;
}

export interface ShareTopicAssignment {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export interface ShareMembershipAnswer {
  readonly epoch: number;
  readonly intervalMs: number;
  /** Undefined if unchanged. */
  readonly assignment: readonly ShareTopicAssignment[] | undefined;
}

/** Joins a share group, keeps the membership, or leaves; the answer assigns partitions. */
export function shareGroupHeartbeat(beat: ShareHeartbeat): OwnRequest<ShareMembershipAnswer> {
  const [key, version] = SHARE_REQUESTS.ShareGroupHeartbeat;
  return {
    key,
    version,
    write: () =>
      Writer.create()
        .appendString(beat.group)
        .appendString(beat.memberId)
        .appendInt32(beat.epoch)
        .appendString(null) // rack
        .appendArray(
          beat.topics && [...beat.topics],
          (writer, topic) => writer.appendString(topic),
          true,
          false,
        )
        .appendTaggedFields(),
    read: readMembership,
  };
}

function readMembership(reader: ByteReader): ShareMembershipAnswer {
  reader.int32(); // throttle time
  const error = reader.int16();
  const message = reader.compactString();
  if (error !== 0) throw brokerError(errorName(error), message ?? 'share group heartbeat');
  reader.compactString(); // member id
  const epoch = reader.int32();
  const intervalMs = reader.int32();
  const isAssigned = reader.int8() >= 0;
  return { epoch, intervalMs, assignment: isAssigned ? readAssignment(reader) : undefined };
}

function readAssignment(reader: ByteReader): ShareTopicAssignment[] {
  const assignment: ShareTopicAssignment[] = [];
  reader.compactArray(() => {
    const topicId = readUuid(reader);
    const partitions: number[] = [];
    reader.compactArray(() => partitions.push(reader.int32()));
    reader.skipTags();
    assignment.push({ topicId, partitions });
  });
  return assignment;
}

/** Reads a UUID in the textual form of the library. */
export function readUuid(reader: ByteReader): string {
  return reader.hex(UUID_BYTES).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}
