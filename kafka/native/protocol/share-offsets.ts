import { Writer } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import type { PartitionLag } from '../../share-port.js';
import { brokerError, errorName } from '../transport/errors.js';
import type { OwnRequest } from './send.js';
import { readUuid } from './share-group.js';

const DESCRIBE_SHARE_GROUP_OFFSETS = 90;
const VERSION = 1;

/** Requests the lag of a share group in the partitions of a topic that it has read. */
export function shareGroupLag(
  group: string,
  topic: string,
  partitions: readonly number[],
): OwnRequest<PartitionLag[]> {
  return {
    key: DESCRIBE_SHARE_GROUP_OFFSETS,
    version: VERSION,
    write: () =>
      Writer.create()
        .appendArray([group], (each, name) =>
          each
            .appendString(name)
            .appendArray([topic], (one) =>
              one
                .appendString(topic)
                .appendArray([...partitions], (writer, index) => writer.appendInt32(index), true, false),
            ),
        )
        .appendTaggedFields(),
    read: readGroups,
  };
}

function readGroups(reader: ByteReader): PartitionLag[] {
  const lags: PartitionLag[] = [];
  reader.int32(); // throttle time
  reader.compactArray(() => {
    const group = reader.compactString();
    reader.compactArray(() => {
      reader.compactString(); // topic
      readUuid(reader);
      reader.compactArray(() => lags.push(readPartition(reader)));
      reader.skipTags();
    });
    const error = reader.int16();
    reader.compactString();
    reader.skipTags();
    if (error !== 0) throw brokerError(errorName(error), `share group ${group}`);
  });
  // Not yet read by the group, or unknown.
  return lags.filter(({ lag }) => lag >= 0);
}

function readPartition(reader: ByteReader): PartitionLag {
  const partition = reader.int32();
  reader.int64(); // start offset
  reader.int32(); // leader epoch
  const lag = reader.int64();
  reader.int16(); // error
  reader.compactString();
  reader.skipTags();
  return { partition, lag };
}
