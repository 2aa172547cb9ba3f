import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AvroCodec } from './codec.js';
import { EXACT } from './strangers.js';

test('integers of 64 bits are the same after writing and reading, to the last digit', () => {
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
    // Beyond these avsc's own long is not exact.
    fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (n) => {
      assert.ok(codec.encode({ n }, none).equals(plain.encode({ n }, none)));
    }),
  );
});
