import avro, { type ForSchemaOptions } from 'avsc';

/** Integers of 64 bits: numbers while those are exact, else bigint. */
const exactLong = avro.types.LongType.__with(
  {
    fromBuffer: (buffer: Buffer) => fromVarint(buffer),
    toBuffer: (value: number | bigint) => toVarint(BigInt(value)),
    fromJSON: (value: number) => value,
    toJSON: (value: number | bigint) => Number(value),
    isValid: (value: unknown) => typeof value === 'bigint' || Number.isSafeInteger(value),
    compare: (a: number | bigint, b: number | bigint) => (a < b ? -1 : a > b ? 1 : 0),
  },
  true,
);

/**
 * How schemas of strangers are read: any union is told by its branch (a value of one is an object with `unwrap()`),
 * and no integer loses digits.
 */
export const STRANGERS: Partial<ForSchemaOptions> = { wrapUnions: true, registry: { long: exactLong } };

/** The same for schemas of ours that hold such integers. */
export const EXACT: Partial<ForSchemaOptions> = { registry: { long: exactLong } };

/** Zigzag, seven bits a byte, the lowest first: https://avro.apache.org/docs/1.12.0/specification/#primitive-types-1 */
function fromVarint(bytes: Buffer): number | bigint {
  let zigzag = 0n;
  bytes.forEach((byte, index) => (zigzag |= BigInt(byte & 0x7f) << BigInt(7 * index)));
  const value = BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function toVarint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}
