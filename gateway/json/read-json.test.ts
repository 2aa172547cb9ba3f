import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeDense, toDense } from './dense.js';
import { readJson } from './read-json.js';

/** Encodes a JSON list of numbers; returns the refusal as text. @param isLarge true for the chunk-fed scanner */
async function encoded(
  numbers: readonly string[],
  datatype: 'INT64' | 'FP64',
  isLarge: boolean,
): Promise<string> {
  const text = `[${numbers.join(',')}]${isLarge ? ' '.repeat(20_000) : ''}`;
  try {
    return encodeDense(toDense(await readJson(Buffer.from(text)), 'x'), datatype, 'x').toString('hex');
  } catch (error) {
    return (error as Error).message;
  }
}

const mantissa = fc.stringMatching(/^(0|[1-9]\d{0,19})(\.\d{1,20})?$/);
const close = fc.stringMatching(/^(0|[1-9]\d{0,9})\.(0{6,18}|9{6,18})\d$/);
const number = fc
  .tuple(fc.oneof(mantissa, close), fc.constantFrom('', 'e0', 'e3', 'e12', 'E+15', 'e-2', 'e-15', 'e-400'))
  .map((parts) => parts.join(''));

test('small and large texts give the same tensors and the same refusals', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 4 }), async (numbers) => {
      for (const datatype of ['INT64', 'FP64'] as const)
        assert.equal(await encoded(numbers, datatype, false), await encoded(numbers, datatype, true));
    }),
    { numRuns: 3_000 },
  );
});

test('an integer tensor has the digits of its text, or is refused', async () => {
  const hex = (value: bigint): string => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes.toString('hex');
  };
  for (const isLarge of [false, true]) {
    for (const [text, value] of [
      ['9007199254740993.0', 9007199254740993n],
      ['9.007199254740993e15', 9007199254740993n],
      ['12345678901234e5', 1234567890123400000n],
      ['1e3', 1_000n],
    ] as const)
      assert.equal(await encoded([text], 'INT64', isLarge), hex(value), text);
    for (const text of [
      '9007199254740993.5',
      '1.00000000000000000001',
      '123456789012345.999',
      '1e-400',
      '0.5',
    ])
      assert.equal(await encoded([text], 'INT64', isLarge), `x, element 0: expected INT64, got ${text}`);
  }
});
