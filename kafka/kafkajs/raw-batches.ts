import { createRequire } from 'node:module';
import type { KafkaMessage } from 'kafkajs';
import Broker from 'kafkajs/src/broker/index.js';
import type Decoder from 'kafkajs/src/protocol/decoder.js';
import { endOfBatches } from '../record-batches/batch-header.js';
import type { AbortedTransaction } from '../record-batches/hidden-transactions.js';
import { AT, MAGIC } from '../record-batches/record-batch.js';

/**
 * kafkajs builds all records of a fetch at once, regardless of their number, and passes them as arguments of one
 * call, which overflows the stack at about 100,000. This patch replaces its decoder: a partition's fetched bytes pass
 * through as one message, and `BatchReader` reads records from them on demand. Only batches older than Kafka 0.11 are
 * still decoded by kafkajs. It is pinned to the version whose modules this replaces, and loads them with its first
 * fetch.
 */
export type RawBatches = KafkaMessage & {
  readonly bytes: Buffer;
  aborted: readonly AbortedTransaction[];
};

const READING = 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js';
const require = createRequire(import.meta.url);
const readOld = require(READING) as (decoder: Decoder) => Promise<KafkaMessage[]>;

async function readRaw(decoder: Decoder): Promise<KafkaMessage[]> {
  const start = decoder.offset;
  const length = decoder.readInt32();
  if (length <= 0 || !decoder.canReadBytes(length)) return [];
  const bytes = decoder.readBytes(length);
  if (bytes.length > AT.magic && bytes.readInt8(AT.magic) !== MAGIC) {
    decoder.offset = start;
    return readOld(decoder);
  }
  const end = endOfBatches(bytes);
  return end === undefined ? [] : [rawBatches(bytes, end)];
}

function rawBatches(bytes: Buffer, end: number): RawBatches {
  return {
    bytes,
    aborted: [],
    key: null,
    value: null,
    timestamp: '0',
    attributes: 0,
    size: bytes.length,
    offset: String(end - 1),
  };
}

const loaded = require.cache[require.resolve(READING)];
if (!loaded) throw new Error(`${READING} is not loaded`);
loaded.exports = readRaw;

/** Moves the list of aborted transactions from the response to the raw bytes, so that kafkajs does not process it. */
const fetch = Object.getOwnPropertyDescriptor(Broker.prototype, 'fetch')?.value as Broker['fetch'];
Broker.prototype.fetch = async function (this: Broker, request: unknown) {
  const response = await fetch.call(this, request);
  for (const { partitions } of response.responses)
    for (const partition of partitions) {
      const [raw] = partition.messages;
      if (!isRaw(raw)) continue;
      raw.aborted = (partition.abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({
        producerId: Number(producerId),
        firstOffset: Number(firstOffset),
      }));
      partition.abortedTransactions = [];
    }
  return response;
};

export function isRaw(message: KafkaMessage | undefined): message is RawBatches {
  return message !== undefined && 'bytes' in message;
}
