import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AvroCodec } from './codec.js';

interface Blob {
  data: Buffer;
}

const BLOB = { type: 'record' as const, name: 'Blob', fields: [{ name: 'data', type: 'bytes' }] };
const SLAB_BYTES = 64 * 1024;
const prefix = Buffer.from('prefix');

function decoded(codec: AvroCodec<Blob>, record: Buffer): Buffer {
  assert.deepEqual(record.subarray(0, prefix.length), prefix);
  return codec.decode(record, prefix.length).data;
}

test('later encodings leave encoded records unchanged, small or larger than the slab', () => {
  const sizes = fc.array(fc.oneof(fc.nat(200), fc.nat(SLAB_BYTES), fc.nat(3 * SLAB_BYTES)), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const codec = new AvroCodec<Blob>(BLOB);
      const values = lengths.map((length, index) => Buffer.alloc(length, index + 1));
      const records = values.map((data) => codec.encode({ data }, prefix));
      records.forEach((record, index) => assert.deepEqual(decoded(codec, record), values[index]));
    }),
    { numRuns: 50 },
  );
});

test('a record that fills the slab exactly is encoded completely, as are those one byte smaller or larger', () => {
  const lengthBytes = 3;
  for (const spare of [-1, 0, 1]) {
    const codec = new AvroCodec<Blob>(BLOB);
    const data = Buffer.alloc(SLAB_BYTES - prefix.length - lengthBytes - spare, 7);
    assert.deepEqual(decoded(codec, codec.encode({ data }, prefix)), data);
  }
});

test('a value that does not match the schema is refused, and the codec remains usable', () => {
  const codec = new AvroCodec<Blob>(BLOB);
  assert.throws(() => codec.encode({ data: 'text' as unknown as Buffer }, prefix));
  const data = Buffer.from('next');
  assert.deepEqual(decoded(codec, codec.encode({ data }, prefix)), data);
});
