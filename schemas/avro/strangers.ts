import avro, { type ForSchemaOptions, type Schema } from 'avsc';

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

/** A number: unscaled in two's complement, as bytes or fixed. https://avro.apache.org/docs/1.12.0/specification/#decimal */
class Decimal extends avro.types.LogicalType {
  readonly #scale: number;

  constructor(schema: Schema, options?: object) {
    super(schema, options);
    this.#scale = (schema as { scale?: number }).scale ?? 0;
  }

  protected override _fromValue(bytes: Buffer): number {
    if (bytes.length === 0) return 0;
    const unscaled = BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`));
    return Number(unscaled) / 10 ** this.#scale;
  }

  protected override _toValue(): never {
    throw new TypeError('decimals of strangers are read, not written');
  }
}

function isLong(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && (schema as { type?: unknown }).type === 'long';
}

/** A schema without defaults: reading needs none, and not all that others write can be read by avsc. */
export function withoutDefaults(schema: Schema): Schema {
  return stripped(schema) as Schema;
}

function stripped(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(stripped);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { default: _, ...rest } = schema as Record<string, unknown>;
  for (const part of ['type', 'items', 'values', 'fields'])
    if (part in rest) rest[part] = stripped(rest[part]);
  return rest;
}

/**
 * How schemas of strangers are read: any union is told by its branch (a value of one is an object with `unwrap()`),
 * and no integer loses digits.
 */
export const STRANGERS: Partial<ForSchemaOptions> = {
  wrapUnions: true,
  registry: { long: exactLong },
  // A long with properties, as those of time, is none by name.
  typeHook: (schema) => (isLong(schema) ? exactLong : undefined),
  logicalTypes: { decimal: Decimal },
};

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
