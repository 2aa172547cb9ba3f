import { isUtf8 } from 'node:buffer';
import type { Datatype } from './datatypes.js';
import { describe } from './describe.js';
import { PartituraError, invalidRequest } from './errors.js';
import { RoundedNumber } from './exact-number.js';

/** One element as a JavaScript value: 64-bit integers as bigint, BYTES as text. */
export type Element = number | bigint | boolean | string;

interface FixedElement {
  readonly bytes: number;
  read(view: DataView, offset: number): Element;
  write(view: DataView, offset: number, element: number | bigint): void;
  /** Smallest and largest integer; absent for floating point. */
  readonly range?: readonly [bigint, bigint];
}

const LITTLE_ENDIAN = true;
const signed = (bits: bigint): readonly [bigint, bigint] => [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
const unsigned = (bits: bigint): readonly [bigint, bigint] => [0n, (1n << bits) - 1n];

const FIXED: Record<Exclude<Datatype, 'BYTES' | 'FP16'>, FixedElement> = {
  BOOL: {
    bytes: 1,
    read: (v, o) => v.getUint8(o) !== 0,
    write: (v, o, e) => v.setUint8(o, Number(e)),
    range: [0n, 1n],
  },
  UINT8: {
    bytes: 1,
    read: (v, o) => v.getUint8(o),
    write: (v, o, e) => v.setUint8(o, Number(e)),
    range: unsigned(8n),
  },
  INT8: {
    bytes: 1,
    read: (v, o) => v.getInt8(o),
    write: (v, o, e) => v.setInt8(o, Number(e)),
    range: signed(8n),
  },
  UINT16: {
    bytes: 2,
    read: (v, o) => v.getUint16(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setUint16(o, Number(e), LITTLE_ENDIAN),
    range: unsigned(16n),
  },
  INT16: {
    bytes: 2,
    read: (v, o) => v.getInt16(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setInt16(o, Number(e), LITTLE_ENDIAN),
    range: signed(16n),
  },
  UINT32: {
    bytes: 4,
    read: (v, o) => v.getUint32(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setUint32(o, Number(e), LITTLE_ENDIAN),
    range: unsigned(32n),
  },
  INT32: {
    bytes: 4,
    read: (v, o) => v.getInt32(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setInt32(o, Number(e), LITTLE_ENDIAN),
    range: signed(32n),
  },
  UINT64: {
    bytes: 8,
    read: (v, o) => v.getBigUint64(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setBigUint64(o, BigInt(e), LITTLE_ENDIAN),
    range: unsigned(64n),
  },
  INT64: {
    bytes: 8,
    read: (v, o) => v.getBigInt64(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setBigInt64(o, BigInt(e), LITTLE_ENDIAN),
    range: signed(64n),
  },
  FP32: {
    bytes: 4,
    read: (v, o) => v.getFloat32(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setFloat32(o, Number(e), LITTLE_ENDIAN),
  },
  FP64: {
    bytes: 8,
    read: (v, o) => v.getFloat64(o, LITTLE_ENDIAN),
    write: (v, o, e) => v.setFloat64(o, Number(e), LITTLE_ENDIAN),
  },
};

/** For elements from sources without infinite numbers, such as JSON: infinite ones were out of a double's range. */
export const NO_INFINITIES = { finite: true } as const;

/**
 * Encodes elements as tensor bytes: little-endian, row-major, BYTES with 4-byte lengths.
 * @param field names the tensor in errors
 * @throws PartituraError DATATYPE_MISMATCH if an element is not of the data type or out of its range
 */
export function encodeElements(
  datatype: Datatype,
  elements: readonly unknown[],
  field: string,
  { finite }: { readonly finite: boolean } = { finite: false },
): Buffer {
  if (datatype === 'BYTES') return encodeStrings(elements, field);
  const fixed = fixedElement(datatype);
  const type = { datatype, fixed, finite };
  const data = Buffer.alloc(elements.length * fixed.bytes);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  elements.forEach((element, index) => {
    fixed.write(
      view,
      index * fixed.bytes,
      checkElement(element, type, () => `${field}, element ${index}`),
    );
  });
  return data;
}

/**
 * Decodes elements, the inverse of `encodeElements`.
 * @param field names the tensor in errors
 * @throws PartituraError DATATYPE_MISMATCH if a BYTES element is not text: a string could not hold its bytes
 */
export function decodeElements(datatype: Datatype, data: Buffer, field = 'BYTES data'): Element[] {
  if (datatype === 'BYTES') return splitBytes(data).map((element, index) => textOf(element, index, field));
  const fixed = fixedElement(datatype);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length / fixed.bytes }, (_, index) =>
    fixed.read(view, index * fixed.bytes),
  );
}

function textOf(element: Buffer, index: number, field: string): string {
  if (isUtf8(element)) return element.toString('utf8');
  throw new PartituraError(
    'DATATYPE_MISMATCH',
    `${field}, element ${index}: expected UTF-8 text, got other bytes`,
  );
}

/** Returns true if all elements of a BYTES tensor are text. */
export function areTexts(elements: readonly Buffer[]): boolean {
  return elements.every((element) => isUtf8(element));
}

/**
 * Splits a BYTES tensor into its elements, as views.
 * @throws PartituraError INVALID_REQUEST if a length extends past the end
 */
export function splitBytes(data: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let position = 0; position < data.length;) {
    const end = elementEnd(data, position);
    elements.push(data.subarray(position + 4, end));
    position = end;
  }
  return elements;
}

/**
 * Returns the end of the BYTES element that starts at `position`.
 * @throws PartituraError INVALID_REQUEST if its length extends past the end
 */
export function elementEnd(data: Buffer, position: number): number {
  const end = position + 4 <= data.length ? position + 4 + data.readUInt32LE(position) : Infinity;
  if (end <= data.length) return end;
  throw invalidRequest(
    `BYTES data: the element at byte ${position} extends past the end (${data.length} bytes)`,
  );
}

function fixedElement(datatype: Datatype): FixedElement {
  if (datatype === 'FP16' || datatype === 'BYTES') {
    throw new PartituraError(
      'DATATYPE_MISMATCH',
      `${datatype} cannot be represented in JSON: send such tensors in Avro`,
    );
  }
  return FIXED[datatype];
}

/** A type that elements are checked against. */
interface ElementType {
  readonly datatype: Datatype;
  readonly fixed: FixedElement;
  /** True if infinite numbers are out of range. */
  readonly finite: boolean;
}

function checkElement(element: unknown, type: ElementType, field: () => string): number | bigint {
  const { datatype, fixed } = type;
  if (element instanceof RoundedNumber && !fixed.range) return checkFloat(element.value, type, field);
  const value = typeof element === 'boolean' && datatype === 'BOOL' ? Number(element) : element;
  if (typeof value === 'bigint' || typeof value === 'number') {
    if (!fixed.range) return checkFloat(value, type, field);
    const whole = typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : undefined;
    if (whole !== undefined && whole >= fixed.range[0] && whole <= fixed.range[1]) return whole;
  }
  throw new PartituraError('DATATYPE_MISMATCH', `${field()}: expected ${datatype}, got ${describe(element)}`);
}

/** Checks a floating-point number: a finite one must not silently become infinite. */
function checkFloat(
  value: number | bigint,
  { datatype, finite }: ElementType,
  field: () => string,
): number | bigint {
  const number = Number(value);
  const stored = datatype === 'FP32' ? Math.fround(number) : number;
  const isInfinite = stored === Infinity || stored === -Infinity;
  if (!isInfinite || (value === number && stored === number && !finite)) return value;
  const got = Number.isFinite(number) ? `${number}, which is` : 'a number';
  throw new PartituraError('DATATYPE_MISMATCH', `${field()}: expected ${datatype}, got ${got} out of range`);
}

function encodeStrings(elements: readonly unknown[], field: string): Buffer {
  const parts = elements.flatMap((element, index) => {
    const bytes = typeof element === 'string' ? Buffer.from(element) : element;
    if (!(bytes instanceof Uint8Array)) {
      throw new PartituraError(
        'DATATYPE_MISMATCH',
        `${field}, element ${index}: expected a string, got ${describe(element)}`,
      );
    }
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}
