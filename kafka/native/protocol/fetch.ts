import { FetchIsolationLevels, fetchV13 } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import { brokerError, errorName } from '../transport/errors.js';
import type { AbortedTransaction } from '../../record-batches/hidden-transactions.js';
import type { OwnRequest } from './send.js';

const FETCH = 1;
const VERSION = 13;
const TOPIC_ID_BYTES = 16;
const NO_SESSION = { id: 0, epoch: -1 };
const NO_EPOCH = -1;

export interface FetchRequest {
  /** Identifies the topic: a topic recreated under the same name has another id. */
  readonly topicId: string;
  readonly positions: readonly { readonly partition: number; readonly position: number }[];
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
}

export interface FetchedPartition {
  readonly partition: number;
  /** Protocol name of the error; undefined on success. */
  readonly error: string | undefined;
  readonly highWatermark: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Raw batches. */
  readonly batches: Buffer | undefined;
}

/** Requests records of partitions of one topic from their leader; open transactions are not read past. */
export function fetchRequest(request: FetchRequest): OwnRequest<FetchedPartition[]> {
  const { topicId, positions, minBytes, maxWaitMs, maxBytes, maxBytesPerPartition } = request;
  const partitions = positions.map(({ partition, position }) => ({
    partition,
    currentLeaderEpoch: NO_EPOCH,
    fetchOffset: BigInt(position),
    lastFetchedEpoch: NO_EPOCH,
    partitionMaxBytes: maxBytesPerPartition,
  }));
  return {
    key: FETCH,
    version: VERSION,
    write: () =>
      fetchV13.createRequest(
        maxWaitMs,
        minBytes,
        maxBytes,
        FetchIsolationLevels.READ_COMMITTED,
        NO_SESSION.id,
        NO_SESSION.epoch,
        [{ topicId, partitions }],
        [],
        '',
      ),
    read: readFetched,
  };
}

function readFetched(reader: ByteReader): FetchedPartition[] {
  reader.int32(); // throttle time
  const error = reader.int16();
  if (error !== 0) throw brokerError(errorName(error), 'fetch');
  reader.int32(); // fetch session
  const fetched: FetchedPartition[] = [];
  reader.compactArray(() => {
    reader.skip(TOPIC_ID_BYTES);
    reader.compactArray(() => fetched.push(readPartition(reader)));
    reader.skipTags();
  });
  return fetched;
}

function readPartition(reader: ByteReader): FetchedPartition {
  const partition = reader.int32();
  const error = reader.int16();
  const highWatermark = reader.int64();
  reader.int64(); // last stable offset
  reader.int64(); // log start offset
  const aborted: AbortedTransaction[] = [];
  reader.compactArray(() => {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
    reader.skipTags();
  });
  reader.int32(); // preferred read replica
  const length = reader.unsignedVarint() - 1;
  const batches = length > 0 ? reader.take(length) : undefined;
  reader.skipTags();
  return { partition, error: error === 0 ? undefined : errorName(error), highWatermark, aborted, batches };
}
