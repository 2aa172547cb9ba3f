const TWO_TO_32 = 2 ** 32;
/** A varlong has at most ten bytes. */
const VARLONG_END = 128 ** 10;

/**
 * Reads Kafka's number formats from a buffer, 64-bit ones as numbers (exact up to 2^53). Reading past the end returns
 * zeros or throws RangeError; callers check `position` where that can happen.
 */
export class ByteReader {
  constructor(
    readonly bytes: Buffer,
    public position = 0,
  ) {}

  int8(): number {
    return this.bytes.readInt8(this.#advance(1));
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#advance(4));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.#advance(4));
  }

  int64(): number {
    const high = this.int32();
    return high * TWO_TO_32 + this.uint32();
  }

  /** Reads a length in flexible request versions: unsigned, length plus one, 0 for null. */
  unsignedVarint(): number {
    const { bytes } = this;
    let byte = bytes[this.position++] ?? 0;
    let value = byte & 0x7f;
    for (let shift = 7; byte & 0x80 && shift < 35; shift += 7) {
      byte = bytes[this.position++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return value >>> 0;
  }

  /** Reads a length within a record: zigzag, -1 for null. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Reads a zigzag number of more than 32 bits. */
  varlong(): number {
    const { bytes } = this;
    let byte = bytes[this.position++] ?? 0;
    const isNegative = (byte & 1) === 1;
    let value = byte & 0x7f;
    for (let factor = 128; byte & 0x80 && factor < VARLONG_END; factor *= 128) {
      byte = bytes[this.position++] ?? 0;
      value += (byte & 0x7f) * factor;
    }
    return isNegative ? -(value + 1) / 2 : value / 2;
  }

  /** Returns a view of the next bytes. */
  take(length: number): Buffer {
    return this.bytes.subarray(this.position, (this.position += length));
  }

  /** Returns a view of bytes that follow their length, within a record; null for a negative length. */
  bytesOrNull(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.take(length);
  }

  skip(length: number): void {
    this.position += length;
  }

  hex(length: number): string {
    return this.take(length).toString('hex');
  }

  compactString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : this.take(length).toString('utf8');
  }

  /** Calls `each` for every element of an array. */
  compactArray(each: () => void): void {
    for (let left = this.unsignedVarint() - 1; left > 0; left--) each();
  }

  /** Skips tagged fields, which newer brokers add. The library mistakes their count for their length in bytes. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint();
      this.skip(this.unsignedVarint());
    }
  }

  #advance(length: number): number {
    const { position } = this;
    this.position += length;
    return position;
  }
}
