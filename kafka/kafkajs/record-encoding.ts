import { createRequire } from 'node:module';
import type Encoder from 'kafkajs/src/protocol/encoder.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { listOf, type HeaderList } from '../../schemas/headers/header-list.js';
import { nameBytes } from '../record-batches/header-names.js';

/**
 * kafkajs stores headers by name, which groups those with the same name, and fails on null values. This patch
 * replaces its record encoder; headers may also be a list. kafkajs is pinned to the version whose module this
 * replaces, and loads it with its first produce request.
 */
const WRITING = 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
/** Maximum length of the size field before a record. */
const MAX_SIZE_BYTES = 5;
const require = createRequire(import.meta.url);
const RecordEncoder = require('kafkajs/src/protocol/encoder.js') as typeof Encoder;

interface Record {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: RecordHeaders | HeaderList;
}

function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }: Record): Encoder {
  const list = Array.isArray(headers) ? (headers as HeaderList) : listOf(headers as RecordHeaders);
  let size =
    1 +
    RecordEncoder.sizeOfVarLong(timestampDelta) +
    RecordEncoder.sizeOfVarInt(offsetDelta) +
    RecordEncoder.sizeOfVarInt(list.length);
  size += RecordEncoder.sizeOfVarIntBytes(key) + RecordEncoder.sizeOfVarIntBytes(value);
  for (const [name, bytes] of list)
    size += RecordEncoder.sizeOfVarIntBytes(nameBytes(name)) + RecordEncoder.sizeOfVarIntBytes(bytes);
  const record = new RecordEncoder(size + MAX_SIZE_BYTES)
    .writeVarInt(size)
    .writeInt8(0)
    .writeVarLong(timestampDelta)
    .writeVarInt(offsetDelta)
    .writeVarIntBytes(key)
    .writeVarIntBytes(value)
    .writeVarInt(list.length);
  for (const [name, bytes] of list) record.writeVarIntBytes(nameBytes(name)).writeVarIntBytes(bytes);
  return record;
}

require(WRITING);
const loaded = require.cache[require.resolve(WRITING)];
if (!loaded) throw new Error(`${WRITING} is not loaded`);
loaded.exports = encodeRecord;
