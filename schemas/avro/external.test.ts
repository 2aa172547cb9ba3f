import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import fc from 'fast-check';
import { AvroCodec } from './codec.js';
import { EXACT, EXTERNAL_SCHEMA_OPTIONS } from './external.js';
import { readableSchema } from './writer-schema.js';

test('64-bit integers survive a round trip, to the last digit', () => {
  const schema = { type: 'record', name: 'R', fields: [{ name: 'n', type: 'long' }] };
  const codec = new AvroCodec<{ n: number | bigint }>(schema as never, [], EXACT);
  const plain = new AvroCodec<{ n: number }>(schema as never);
  const none = Buffer.alloc(0);
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
      const { n: read } = codec.decode(codec.encode({ n }, none));
      assert.equal(BigInt(read), n);
      assert.equal(
        typeof read === 'number',
        BigInt(Number.MIN_SAFE_INTEGER) <= n && n <= BigInt(Number.MAX_SAFE_INTEGER),
      );
    }),
  );
  fc.assert(
    // Beyond these values, avsc's own long is inexact.
    fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (n) => {
      assert.ok(codec.encode({ n }, none).equals(plain.encode({ n }, none)));
    }),
  );
});

test('a long with properties is as exact as one without', () => {
  for (const type of ['long', { type: 'long' }, { type: 'long', logicalType: 'timestamp-nanos' }]) {
    const schema = { type: 'record', name: 'R', fields: [{ name: 'n', type }] } as never;
    const bytes = Buffer.from('feffffffffffffffff01', 'hex');
    assert.equal(
      new AvroCodec<{ n: bigint }>(schema, [], EXTERNAL_SCHEMA_OPTIONS).decode(bytes).n,
      2n ** 63n - 1n,
    );
  }
});

test('a decimal is read as its number, from bytes and from fixed', () => {
  const bytes = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 };
  const fixed = { type: 'fixed', name: 'F', size: 2, logicalType: 'decimal', precision: 4, scale: 2 };
  const decode = (type: object, hex: string): unknown =>
    new AvroCodec<{ d: unknown }>(
      { type: 'record', name: 'R', fields: [{ name: 'd', type }] } as never,
      [],
      EXTERNAL_SCHEMA_OPTIONS,
    ).decode(Buffer.from(hex, 'hex')).d;
  for (const [hex, value] of [
    ['0264', 1],
    ['02ff', -0.01],
    ['04ff38', -2],
    ['00', 0],
  ] as const)
    assert.equal(decode(bytes, hex), value);
  assert.equal(decode(fixed, 'ff38'), -2);
});

test('defaults that avsc cannot parse do not prevent reading', () => {
  const schema = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'least', type: 'long', default: -9223372036854775808 },
      { name: 'second', type: ['null', 'int'], default: 7 },
    ],
  } as never;
  assert.throws(() => new AvroCodec(schema, [], EXTERNAL_SCHEMA_OPTIONS));
  const codec = new AvroCodec<{ least: number }>(readableSchema(schema), [], EXTERNAL_SCHEMA_OPTIONS);
  assert.equal(codec.decode(Buffer.from([2, 0])).least, 1);
});

test('an invalid decimal, which the specification ignores, is read as its underlying type', () => {
  const decode = (type: object, hex: string): unknown =>
    new AvroCodec<{ d: unknown }>(
      readableSchema({ type: 'record', name: 'R', fields: [{ name: 'd', type }] } as never),
      [],
      EXTERNAL_SCHEMA_OPTIONS,
    ).decode(Buffer.from(hex, 'hex')).d;
  const decimal = { logicalType: 'decimal', precision: 4, scale: 2 };
  assert.equal(decode({ type: 'int', ...decimal }, '06'), 3);
  assert.equal(decode({ type: 'string', ...decimal }, '0261'), 'a');
  for (const wrong of [{ scale: -1 }, { scale: 5 }, { scale: 0.5 }, { precision: undefined }])
    assert.deepEqual(decode({ type: 'bytes', ...decimal, ...wrong }, '0264'), Buffer.from([0x64]));
  const fixed = { type: 'fixed', name: 'F', size: 1, ...decimal, scale: 9 };
  assert.deepEqual(decode(fixed, '64'), Buffer.from([0x64]));
});

test('a decimal keeps all digits of an integer and is never infinite', () => {
  const decode = (unscaled: bigint, scale: number): unknown => {
    const type = { type: 'bytes', logicalType: 'decimal', precision: 1_000, scale };
    const schema = { type: 'record', name: 'R', fields: [{ name: 'd', type }] } as never;
    const hex = unscaled.toString(16);
    const bytes = Buffer.from(`00${hex.padStart(hex.length + (hex.length % 2), '0')}`, 'hex');
    const value = avro.Type.forSchema('bytes').toBuffer(bytes);
    return new AvroCodec<{ d: unknown }>(schema, [], EXTERNAL_SCHEMA_OPTIONS).decode(value).d;
  };
  assert.equal(decode(2n ** 63n, 0), 2n ** 63n);
  assert.equal(decode(123_456_789_012_345_678_901n, 2), Number('1234567890123456789.01'));
  assert.equal(decode(10n ** 400n, 0), 10n ** 400n);
  assert.equal(decode(10n ** 400n, 2), 10n ** 398n);
});
