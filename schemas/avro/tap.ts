/**
 * Reads Avro primitives from a buffer, in place of avsc's own reader, for two reasons: `bytes` come back as
 * views into the buffer instead of copies, and reading past the end throws at once, where avsc reads on
 * and a corrupt array count would make it allocate without bound.
 *
 * Binary encoding: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class BoundedTap {
  constructor(
    readonly buf: Buffer,
    public pos: number,
  ) {}

  /** Moves on by `length` bytes and says where they began. */
  #take(length: number): number {
    const start = this.pos;
    const end = start + length;
    if (!(length >= 0) || end > this.buf.length) {
      throw new RangeError(`Avro data ends early: ${length} bytes expected at ${start}, ${this.buf.length - start} left`);
    }
    this.pos = end;
    return start;
  }

  readBoolean(): boolean {
    return this.buf[this.#take(1)] !== 0;
  }

  /** A zigzag varint of at most ten bytes; exact up to 2^53, which covers sizes, dimensions and timestamps. */
  readLong(): number {
    const first = this.#readByte();
    if (first < 0x80) return (first >> 1) ^ -(first & 1);
    let value = first & 0x7f;
    let scale = 128;
    for (let index = 1; index < 10; index++) {
      const byte = this.#readByte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new RangeError('Avro data has an integer of more than ten bytes');
  }

  #readByte(): number {
    const byte = this.buf[this.pos];
    if (byte === undefined) throw new RangeError(`Avro data ends early: a byte expected at ${this.pos}`);
    this.pos++;
    return byte;
  }

  readInt(): number {
    return this.readLong();
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.#take(4));
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.#take(8));
  }

  readFixed(length: number): Buffer {
    const start = this.#take(length);
    return this.buf.subarray(start, start + length);
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong());
  }

  readString(): string {
    const length = this.readLong();
    const start = this.#take(length);
    return this.buf.toString('utf8', start, start + length);
  }

  skipBoolean(): void {
    this.#take(1);
  }

  skipLong(): void {
    this.readLong();
  }

  skipInt(): void {
    this.readLong();
  }

  skipFloat(): void {
    this.#take(4);
  }

  skipDouble(): void {
    this.#take(8);
  }

  skipFixed(length: number): void {
    this.#take(length);
  }

  skipBytes(): void {
    this.#take(this.readLong());
  }

  skipString(): void {
    this.#take(this.readLong());
  }

  isValid(): boolean {
    return this.pos <= this.buf.length;
  }
}
