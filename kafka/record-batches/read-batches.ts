import { KafkaError, type KafkaRecord, type TopicPartition, type UnreadableRecords } from '../port.js';
import { batchAt, int64, nextOffset, verifiedAttributes } from './batch-header.js';
import { HiddenTransactions, type AbortedTransaction } from './hidden-transactions.js';
import { DEFAULT_READ_LIMITS, type ReadLimits } from './read-limits.js';
import { AT, CONTROL, MAGIC, TRANSACTIONAL } from './record-batch.js';
import { Oversized, RecordReader } from './record-reader.js';

/** The next chunk of a partition's fetched records, in order of offset. */
export interface Chunk {
  readonly records: readonly KafkaRecord[];
  /** Records after these that exceed the limits. */
  readonly unreadable?: { readonly offset: number; readonly lastOffset: number; readonly reason: string };
  /** Offset after everything read, visible or not; transaction markers occupy one as well. */
  readonly next: number;
}

export interface ReadOptions {
  /** Aborted transactions in these batches; none by default. */
  readonly aborted?: readonly AbortedTransaction[] | undefined;
  readonly limits?: ReadLimits | undefined;
}

/**
 * Reads the fetched batches of one partition from an offset on, in chunks: the caller decides when to read the next
 * one, so that only as many records exist at a time as it has capacity for. A chunk does not keep `bytes` alive.
 *
 * The library's own reader creates two arrays, two BigInts and three objects per record, takes twice the time and
 * does not verify checksums.
 *
 * A truncated last batch is not an error: it is fetched again. So is a corrupted batch that follows valid ones.
 */
export class BatchReader {
  readonly #hidden: HiddenTransactions;
  readonly #limits: ReadLimits;
  /** Position of the next batch. */
  #position = 0;
  #next: number;
  #open: RecordReader | undefined;

  constructor(
    readonly bytes: Buffer,
    readonly at: TopicPartition,
    readonly from: number,
    { aborted = [], limits = DEFAULT_READ_LIMITS }: ReadOptions = {},
  ) {
    this.#hidden = new HiddenTransactions(aborted);
    this.#next = from;
    this.#limits = limits;
  }

  /**
   * Returns the next chunk; undefined at the end. A chunk without records only advances the offset.
   * @throws UnreadableBatch if the first batch is corrupted or in a format older than Kafka 0.11
   */
  next(): Chunk | undefined {
    const { chunkRecords, chunkBytes } = this.#limits;
    const before = this.#next;
    const records: KafkaRecord[] = [];
    let room = chunkBytes;
    while (records.length < chunkRecords && room > 0) {
      try {
        const batch = (this.#open ??= this.#openNext());
        if (!batch) break;
        const found = batch.read();
        if (found === undefined) this.#close(batch);
        else if (found instanceof Oversized) return this.#chunk(records, this.#passOversized(batch, found));
        else {
          records.push(found);
          room -= batch.cost;
          this.#next = found.offset + 1;
        }
      } catch (error) {
        if (error instanceof Oversized) return this.#chunk(records, this.#passBatch(error));
        if (this.#next > this.from) break;
        throw damaged(this.at, this.#current(), this.from, error);
      }
    }
    return this.#next > before || records.length > 0 ? this.#chunk(records) : undefined;
  }

  #chunk(records: readonly KafkaRecord[], unreadable?: Chunk['unreadable']): Chunk {
    return unreadable ? { records, unreadable, next: this.#next } : { records, next: this.#next };
  }

  /** Opens the next batch with visible records. @throws Oversized if it decompresses to too many bytes */
  #openNext(): RecordReader | undefined {
    for (let batch = this.#current(); batch; batch = this.#current()) {
      const attributes = verifiedAttributes(batch);
      const next = nextOffset(batch);
      if (attributes & CONTROL) this.#hidden.pass(batch);
      else if (next > this.from && !(attributes & TRANSACTIONAL && this.#hidden.hides(batch, next - 1)))
        return new RecordReader(batch, this.at, this.#next, this.#limits);
      this.#pass(batch.length, next);
    }
    return undefined;
  }

  /** Returns the batch at the current position, unless it is truncated. */
  #current(): Buffer | undefined {
    return batchAt(this.bytes, this.#position);
  }

  #close({ length, next }: RecordReader): void {
    this.#open = undefined;
    this.#pass(length, next);
  }

  #pass(length: number, next: number): void {
    this.#position += length;
    this.#next = Math.max(this.#next, next);
  }

  /** Skips adjacent oversized records as well, so that one message reports all of them. */
  #passOversized(batch: RecordReader, first: Oversized): Chunk['unreadable'] {
    let last = first;
    for (let found = batch.peekOversized(); found; found = batch.peekOversized()) last = found;
    this.#next = last.offset + 1;
    return { offset: first.offset, lastOffset: last.offset, reason: first.message };
  }

  #passBatch({ message }: Oversized): Chunk['unreadable'] {
    const batch = this.#current();
    if (!batch) return undefined;
    const offset = Math.max(this.#next, int64(batch, AT.baseOffset));
    this.#pass(batch.length, nextOffset(batch));
    return { offset, lastOffset: this.#next - 1, reason: message };
  }
}

/** A batch that is corrupted or in an unsupported format. */
export class UnreadableBatch extends KafkaError {
  constructor(
    readonly records: UnreadableRecords,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const { topic, partition, offset } = records;
    super('other', `${topic} ${partition}: the batch at offset ${offset} cannot be read: ${why}`, { cause });
  }
}

function damaged(
  { topic, partition }: TopicPartition,
  batch: Buffer | undefined,
  from: number,
  cause: unknown,
): UnreadableBatch {
  const offset = batch ? int64(batch, AT.baseOffset) : from;
  // Formats older than Kafka 0.11 have no such field.
  const delta = batch?.readInt8(AT.magic) === MAGIC ? batch.readInt32BE(AT.lastOffsetDelta) : 0;
  return new UnreadableBatch({ topic, partition, offset, lastOffset: offset + Math.max(0, delta) }, cause);
}

/** Returns a chunk that skips a batch corrupted in the log, so that it cannot block every consumer. */
export function skipUnreadable(error: UnreadableBatch, position: number, highWatermark: number): Chunk {
  const { records, message: reason } = error;
  // The record count of the batch may itself be corrupted.
  const lastOffset = Math.max(position, Math.min(records.lastOffset, highWatermark - 1));
  const offset = Math.max(position, records.offset);
  return { records: [], unreadable: { offset, lastOffset, reason }, next: lastOffset + 1 };
}
