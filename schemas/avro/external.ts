import avro, { type ForSchemaOptions, type Schema } from 'avsc';
import { SYMBOLS } from './writer-schema.js';

/** 64-bit integers: numbers while those are exact, bigint otherwise. */
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
 * A decimal number: unscaled two's complement, as bytes or fixed.
 * https://avro.apache.org/docs/1.12.0/specification/#decimal
 */
class Decimal extends avro.types.LogicalType {
  readonly #scale: number;

  /** @throws Error for an invalid decimal, which the specification ignores: avsc then uses the underlying type */
  constructor(schema: Schema, options?: object) {
    super(schema, options);
    const { precision, scale = 0 } = schema as { precision?: number; scale?: number };
    const fits =
      avro.Type.isType(this.underlyingType, 'bytes', 'fixed') &&
      Number.isInteger(precision) &&
      Number.isInteger(scale) &&
      scale >= 0 &&
      scale <= (precision ?? 0);
    if (!fits) throw new Error('not a decimal');
    this.#scale = scale;
  }

  /**
   * Decodes a decimal. Integers are exact; a number out of a double's range becomes a bigint rather than infinite.
   */
  protected override _fromValue(bytes: Buffer): number | bigint {
    if (bytes.length === 0) return 0;
    const unscaled = BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`));
    if (this.#scale === 0 && !isSafe(unscaled)) return unscaled;
    const value = Number(`${unscaled}e-${this.#scale}`);
    return Number.isFinite(value) ? value : unscaled / 10n ** BigInt(this.#scale);
  }

  protected override _toValue(): never {
    throw new TypeError('decimal is read-only for external schemas');
  }
}

/** An enum with symbols that avsc rejects; the original symbols are restored on reading. */
class Symbols extends avro.types.LogicalType {
  readonly #symbols: ReadonlyMap<string, string>;

  constructor(schema: Schema, options?: object) {
    super(schema, options);
    const { symbols, originals } = schema as unknown as { symbols: string[]; originals: string[] };
    this.#symbols = new Map(symbols.map((symbol, index) => [symbol, originals[index] ?? symbol]));
  }

  protected override _fromValue(symbol: string): string {
    return this.#symbols.get(symbol) ?? symbol;
  }

  protected override _toValue(): never {
    throw new TypeError('enum is read-only for external schemas');
  }
}

function isLong(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && (schema as { type?: unknown }).type === 'long';
}

/**
 * Options for external schemas: a union value names its branch (an object with `unwrap()`), integers lose no digits.
 */
export const EXTERNAL_SCHEMA_OPTIONS: Partial<ForSchemaOptions> = {
  wrapUnions: true,
  registry: { long: exactLong },
  // A long with properties, such as a timestamp, does not match by name.
  typeHook: (schema) => (isLong(schema) ? exactLong : undefined),
  logicalTypes: { decimal: Decimal, [SYMBOLS]: Symbols },
};

/** Options for our own schemas with 64-bit integers. */
export const EXACT: Partial<ForSchemaOptions> = { registry: { long: exactLong } };

/**
 * Decodes a zigzag varint, seven bits per byte, lowest first:
 * https://avro.apache.org/docs/1.12.0/specification/#primitive-types-1
 */
function fromVarint(bytes: Buffer): number | bigint {
  let zigzag = 0n;
  bytes.forEach((byte, index) => (zigzag |= BigInt(byte & 0x7f) << BigInt(7 * index)));
  const value = BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
  return isSafe(value) ? Number(value) : value;
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}

function toVarint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}
