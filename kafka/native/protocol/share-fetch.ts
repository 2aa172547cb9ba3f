import { Writer } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import { brokerError, errorName } from '../transport/errors.js';
import type { OwnRequest } from './send.js';
import { readUuid, SHARE_REQUESTS } from './share-group.js';

/** Exactly as many records as were asked for, even if that splits a batch (KIP-1206). */
const RECORD_LIMIT = 1;
const MIN_BYTES = 1;

/** Types of acknowledgements, by name. */
export const ACKNOWLEDGE = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;
export type AcknowledgeType = keyof typeof ACKNOWLEDGE;

/** Acknowledgements of consecutive offsets. */
export interface AcknowledgementRange {
  readonly first: number;
  readonly last: number;
  /** One type for all, or one for each offset. */
  readonly types: readonly AcknowledgeType[];
}

export interface PartitionAcknowledgements {
  readonly partition: number;
  readonly ranges: readonly AcknowledgementRange[];
}

/** Identity of a share session: one member of a group on one broker. */
export interface ShareSessionId {
  readonly group: string;
  readonly memberId: string;
  readonly topicId: string;
  /** 0 opens the session, -1 closes it and releases what is held; otherwise consecutive. */
  readonly epoch: number;
}

export interface ShareFetchRequest extends ShareSessionId {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxRecords: number;
  /** Partitions added to the session, and those with acknowledgements. */
  readonly partitions: readonly PartitionAcknowledgements[];
  /** Partitions to remove from the session. */
  readonly forgotten: readonly number[];
}

/** Consecutive offsets that the member holds from now on. */
export interface AcquiredRange {
  readonly first: number;
  readonly last: number;
  readonly deliveries: number;
}

export interface SharedPartition {
  readonly partition: number;
  /** Protocol names of errors; undefined on success. */
  readonly error: string | undefined;
  readonly acknowledgeError: string | undefined;
  /** Raw batches; they may hold more records than were acquired. */
  readonly batches: Buffer | undefined;
  readonly acquired: readonly AcquiredRange[];
}

/** Returns the number of records that were acquired. */
export function acquiredIn({ acquired }: Pick<SharedPartition, 'acquired'>): number {
  return acquired.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export interface ShareFetchAnswer {
  /** Time for which acquired records are locked, milliseconds. */
  readonly lockMs: number;
  readonly partitions: readonly SharedPartition[];
}

/** Acquires records of partitions of one topic from their leader, and acknowledges earlier ones. */
export function shareFetch(request: ShareFetchRequest): OwnRequest<ShareFetchAnswer> {
  const [key, version] = SHARE_REQUESTS.ShareFetch;
  return { key, version, write: () => writeFetch(request), read: readFetched };
}

function writeFetch(request: ShareFetchRequest): Writer {
  const { topicId, forgotten } = request;
  const writer = Writer.create()
    .appendString(request.group)
    .appendString(request.memberId)
    .appendInt32(request.epoch)
    .appendInt32(request.maxWaitMs)
    .appendInt32(MIN_BYTES)
    .appendInt32(request.maxBytes)
    .appendInt32(request.maxRecords)
    .appendInt32(request.maxRecords) // batch size
    .appendInt8(RECORD_LIMIT)
    .appendBoolean(false); // renewals travel alone: a fetch with one must not ask for records
  appendAcknowledgements(writer, topicId, request.partitions);
  return writer
    .appendArray(forgotten.length > 0 ? [topicId] : [], (each, id) =>
      each.appendUUID(id).appendArray([...forgotten], (one, index) => one.appendInt32(index), true, false),
    )
    .appendTaggedFields();
}

function appendAcknowledgements(
  writer: Writer,
  topicId: string,
  partitions: readonly PartitionAcknowledgements[],
): void {
  writer.appendArray(partitions.length > 0 ? [topicId] : [], (each, id) =>
    each.appendUUID(id).appendArray([...partitions], (one, { partition, ranges }) =>
      one.appendInt32(partition).appendArray([...ranges], (range, { first, last, types }) =>
        range
          .appendInt64(BigInt(first))
          .appendInt64(BigInt(last))
          .appendArray([...types], (type, name) => type.appendInt8(ACKNOWLEDGE[name]), true, false),
      ),
    ),
  );
}

function readFetched(reader: ByteReader): ShareFetchAnswer {
  readError(reader);
  const lockMs = reader.int32();
  const partitions = readTopics(reader, readPartition);
  return { lockMs, partitions };
}

/** @throws KafkaError if the whole request failed */
function readError(reader: ByteReader): void {
  reader.int32(); // throttle time
  const error = reader.int16();
  const message = reader.compactString();
  if (error !== 0) throw brokerError(errorName(error), message ?? 'share group');
}

function readTopics<P>(reader: ByteReader, readOne: (reader: ByteReader) => P): P[] {
  const partitions: P[] = [];
  reader.compactArray(() => {
    readUuid(reader);
    reader.compactArray(() => partitions.push(readOne(reader)));
    reader.skipTags();
  });
  return partitions;
}

function readPartition(reader: ByteReader): SharedPartition {
  const partition = reader.int32();
  const error = readPartitionError(reader);
  const acknowledgeError = readPartitionError(reader);
  skipLeader(reader);
  const length = reader.unsignedVarint() - 1;
  const batches = length > 0 ? reader.take(length) : undefined;
  const acquired: AcquiredRange[] = [];
  reader.compactArray(() => {
    acquired.push({ first: reader.int64(), last: reader.int64(), deliveries: reader.int16() });
    reader.skipTags();
  });
  reader.skipTags();
  return { partition, error, acknowledgeError, batches, acquired };
}

function readPartitionError(reader: ByteReader): string | undefined {
  const error = reader.int16();
  reader.compactString(); // message
  return error === 0 ? undefined : errorName(error);
}

function skipLeader(reader: ByteReader): void {
  reader.skip(8); // id and epoch
  reader.skipTags();
}

export interface ShareAcknowledgeRequest extends ShareSessionId {
  readonly partitions: readonly PartitionAcknowledgements[];
}

export interface AcknowledgedPartition {
  readonly partition: number;
  /** Protocol name of the error; undefined on success. */
  readonly error: string | undefined;
}

/** Acknowledges records without fetching. */
export function shareAcknowledge(request: ShareAcknowledgeRequest): OwnRequest<AcknowledgedPartition[]> {
  const [key, version] = SHARE_REQUESTS.ShareAcknowledge;
  const renews = request.partitions.some(({ ranges }) => ranges.some(({ types }) => types.includes('renew')));
  return {
    key,
    version,
    write: () => {
      const writer = Writer.create()
        .appendString(request.group)
        .appendString(request.memberId)
        .appendInt32(request.epoch)
        .appendBoolean(renews);
      appendAcknowledgements(writer, request.topicId, request.partitions);
      return writer.appendTaggedFields();
    },
    read: readAcknowledged,
  };
}

function readAcknowledged(reader: ByteReader): AcknowledgedPartition[] {
  readError(reader);
  reader.int32(); // lock time
  return readTopics(reader, () => {
    const partition = reader.int32();
    const error = readPartitionError(reader);
    skipLeader(reader);
    reader.skipTags();
    return { partition, error };
  });
}
