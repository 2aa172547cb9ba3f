import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import fc from 'fast-check';
import { requestCodec } from '../codecs.js';
import { PartituraError } from '../errors.js';
import { encodeRequest, singleObject } from '../framing/index.js';
import { exampleRequest, exampleTensor, plain } from '../../testing/requests.js';
import { AvroCodec } from './codec.js';
import { BoundedTap } from './tap.js';

const NO_PREFIX = Buffer.alloc(0);

/** A record with one field of every type that the tap reads. */
const EVERYTHING = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'int', type: 'int' },
    { name: 'long', type: 'long' },
    { name: 'float', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'text', type: 'string' },
    { name: 'bytes', type: 'bytes' },
    { name: 'fixed', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'longs', type: { type: 'array', items: 'long' } },
    { name: 'map', type: { type: 'map', values: 'string' } },
    { name: 'either', type: ['null', 'string'] },
  ],
} as const;

/** Longs that avsc encodes correctly; below -2^52 it writes wrong values. */
const long = fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 2 });

const everything = fc.record(
  {
    flag: fc.boolean(),
    int: fc.integer(),
    long,
    float: fc.float(),
    double: fc.double(),
    text: fc.string({ unit: 'grapheme' }),
    bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fixed: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    longs: fc.array(long, { maxLength: 100 }),
    map: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.string(),
      { noNullPrototype: true },
    ),
    either: fc.option(fc.string()),
  },
  { noNullPrototype: true },
);

const type = avro.Type.forSchema(EVERYTHING as unknown as avro.Schema);
const codec = new AvroCodec<unknown>(EVERYTHING as unknown as avro.Schema);

test('data encoded by avsc is read back unchanged', () => {
  fc.assert(
    fc.property(everything, (value) => {
      const read = codec.decode(type.toBuffer(value)) as typeof value;
      assert.deepEqual({ ...read }, value);
    }),
  );
});

/** Encodes a number by the specification, with integers of any size. */
function zigzag(value: number): Buffer {
  let left = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
  const bytes: number[] = [];
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

test('longs are exact up to 2^53 and keep their sign', () => {
  const edges = [
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    2 ** 31,
    -(2 ** 32),
    -(2 ** 52) - 1,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
  ];
  for (const value of edges) assert.equal(new BoundedTap(zigzag(value), 0).readLong(), value);
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) =>
      assert.equal(new BoundedTap(zigzag(value), 0).readLong(), value),
    ),
  );
});

test('a long of more than ten bytes is refused', () => {
  assert.throws(() => new BoundedTap(Buffer.alloc(11, 0xff), 0).readLong(), RangeError);
});

test('data truncated at any byte is refused', () => {
  const whole = requestCodec.encode(
    exampleRequest({ outputs: ['a'], parameters: { k: 'v' }, deadline: 5 }),
    NO_PREFIX,
  );
  for (let length = 0; length < whole.length; length++) {
    assert.throws(
      () => requestCodec.decode(whole.subarray(0, length)),
      RangeError,
      `cut to ${length} of ${whole.length} bytes`,
    );
  }
});

test('trailing data after the record is refused', () => {
  const whole = requestCodec.encode(exampleRequest(), NO_PREFIX);
  assert.throws(() => requestCodec.decode(Buffer.concat([whole, Buffer.alloc(1)])), /1 bytes left over/);
});

test('an array that declares more elements than remaining bytes is refused before any allocation', () => {
  const idModelAndVersion = Buffer.from('02720000', 'hex');
  for (const count of [100, 30_000_000, 2 ** 40]) {
    const message = new RegExp(`${count} elements expected at \\d+, 0 bytes left`);
    assert.throws(() => requestCodec.decode(Buffer.concat([idModelAndVersion, zigzag(count)])), {
      name: 'RangeError',
      message,
    });
  }
});

test('blocks with a size in bytes are read, and skipped only forwards', () => {
  const sized = Buffer.concat([zigzag(-2), zigzag(2), zigzag(7), zigzag(-8), zigzag(0)]);
  const longs = new AvroCodec<number[]>({ type: 'array', items: 'long' });
  assert.deepEqual(longs.decode(sized), [7, -8]);
  assert.throws(() => (new BoundedTap(sized, 3).pos -= 1), RangeError);
});

test('strings and bytes of negative or excessive length are refused', () => {
  for (const length of [-1, -(2 ** 40), 2 ** 40]) {
    const data = Buffer.concat([zigzag(length), Buffer.from('text')]);
    assert.throws(() => new BoundedTap(data, 0).readString(), RangeError);
    assert.throws(() => new BoundedTap(data, 0).readBytes(), RangeError);
    assert.throws(() => new BoundedTap(data, 0).skipBytes(), RangeError);
  }
});

test('a corrupted request is either decoded or refused as DECODE_FAILED', () => {
  const value = encodeRequest(
    exampleRequest({ inputs: [exampleTensor(), exampleTensor({ name: 'b' })], parameters: { k: 'v' } }),
  );
  const damage = fc.array(fc.tuple(fc.nat(value.length - 1), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(damage, fc.nat(value.length), (changes, length) => {
      const damaged = Buffer.from(value.subarray(0, length));
      for (const [position, byte] of changes) if (position < length) damaged[position] = byte;
      try {
        singleObject.decodeRequest(damaged);
      } catch (error) {
        assert.ok(error instanceof PartituraError && error.code === 'DECODE_FAILED', String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});

test("a decoded tensor's data are a view of the record, not a copy", () => {
  const value = encodeRequest(exampleRequest());
  const [input] = singleObject.decodeRequest(value).inputs;
  assert.equal(input?.data.buffer, value.buffer);
  value.fill(0x55);
  assert.deepEqual(input?.data, Buffer.alloc(8, 0x55));
});

test('arrays of zero-byte elements terminate, read or skipped, whatever count they declare', () => {
  const nothing = { type: 'array', items: 'null' } as const;
  const writer = new AvroCodec<object>({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: nothing },
      { name: 'b', type: 'int' },
    ],
  });
  const wanted = new AvroCodec<{ b: number }>({
    type: 'record',
    name: 'R',
    fields: [{ name: 'b', type: 'int' }],
  });
  const reader = wanted.readerFor({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: nothing },
      { name: 'b', type: 'int' },
    ],
  });
  // 2^53 - 1 elements in one block; then many blocks, each with as many elements as bytes are left.
  const one = Buffer.from('feffffffffffff1f0002', 'hex');
  const many = Buffer.concat([
    ...Array.from({ length: 5_000 }, () => Buffer.from([0x80, 0x08])),
    Buffer.from([0, 2]),
  ]);
  for (const data of [one, many]) {
    assert.throws(() => writer.decode(data), RangeError);
    assert.throws(() => wanted.decode(data, 0, reader), RangeError);
  }
  assert.deepEqual(plain(wanted.decode(Buffer.from([2, 0, 2]), 0, reader)), { b: 1 });
});
