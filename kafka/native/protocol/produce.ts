import { ProduceAcks, Writer } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import { errorName } from '../transport/errors.js';
import type { OwnRequest } from './send.js';

const PRODUCE = 0;
const VERSION = 9;

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Protocol name of the error; undefined once the batch is written. */
  readonly error: string | undefined;
  readonly detail: string | null;
}

/**
 * Sends batches to their partitions' leader, to be acknowledged by all in-sync replicas.
 * @param timeoutMs time the broker waits for the replicas
 */
export function produceRequest(
  batches: readonly PartitionBatch[],
  timeoutMs: number,
  transactionalId: string | null,
): OwnRequest<ProducedPartition[]> {
  const topics = [...new Set(batches.map(({ topic }) => topic))];
  return {
    key: PRODUCE,
    version: VERSION,
    write: () =>
      Writer.create()
        .appendString(transactionalId)
        .appendInt16(ProduceAcks.ALL)
        .appendInt32(timeoutMs)
        .appendArray(topics, (writer, topic) => {
          const own = batches.filter((batch) => batch.topic === topic);
          writer.appendString(topic).appendArray(own, (inner, { partition, batch }) => {
            inner.appendInt32(partition).appendBytes(batch);
          });
        })
        .appendTaggedFields(),
    read: readProduced,
  };
}

function readProduced(reader: ByteReader): ProducedPartition[] {
  const produced: ProducedPartition[] = [];
  reader.compactArray(() => {
    const topic = reader.compactString() ?? '';
    reader.compactArray(() => produced.push(readPartition(reader, topic)));
    reader.skipTags();
  });
  return produced;
}

function readPartition(reader: ByteReader, topic: string): ProducedPartition {
  const partition = reader.int32();
  const error = reader.int16();
  reader.int64(); // base offset
  reader.int64(); // log append time
  reader.int64(); // log start offset
  reader.compactArray(() => {
    reader.int32();
    reader.compactString();
    reader.skipTags();
  });
  const detail = reader.compactString();
  reader.skipTags();
  return { topic, partition, error: error === 0 ? undefined : errorName(error), detail };
}
