import protobuf from 'protobufjs/minimal.js';

/** An encoded field of a message. */
export interface Field {
  readonly number: number;
  /** Encoded field, including its tag. */
  readonly bytes: Uint8Array;
  /** Content of a length-delimited field (a message, string or bytes); otherwise undefined. */
  readonly content: Uint8Array | undefined;
}

const LENGTH_DELIMITED = 2;

/**
 * Splits a message into its fields without a schema, so that it can be reassembled with some of them changed.
 * Source: https://protobuf.dev/programming-guides/encoding/
 * @throws RangeError or Error of protobufjs if the bytes are not a message
 */
export function fieldsOf(message: Uint8Array): Field[] {
  const reader = protobuf.Reader.create(message);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const wireType = tag & 7;
    const content = wireType === LENGTH_DELIMITED ? reader.bytes() : undefined;
    if (content === undefined) reader.skipType(wireType);
    fields.push({ number: tag >>> 3, bytes: message.subarray(start, reader.pos), content });
  }
  return fields;
}

/** Returns the contents of all length-delimited fields with this number. */
export function contentsOf(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap((field) => (field.number === number && field.content ? [field.content] : []));
}

/** Returns the strings of all fields with this number. */
export function textsIn(fields: readonly Field[], number: number): string[] {
  return contentsOf(fields, number).map((content) => Buffer.from(content).toString('utf8'));
}

/** Encodes a length-delimited field. */
export function field(number: number, content: Uint8Array | string): Uint8Array {
  const writer = protobuf.Writer.create().uint32((number << 3) | LENGTH_DELIMITED);
  return (typeof content === 'string' ? writer.string(content) : writer.bytes(content)).finish();
}

/** Encodes an integer field. */
export function numberField(number: number, value: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32(number << 3)
    .int64(value)
    .finish();
}

/** Returns the values of a repeated integer field, packed or not. */
export function wholeNumbersIn(fields: readonly Field[], number: number): bigint[] {
  return fields
    .filter((one) => one.number === number)
    .flatMap(({ bytes, content }) => (content ? varints(content) : varints(bytes).slice(1)));
}

function varints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) {
      values.push(BigInt.asIntN(64, value));
      value = 0n;
      shift = 0n;
    }
  }
  return values;
}
