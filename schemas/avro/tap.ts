/**
 * Reads Avro primitives from a buffer, in place of avsc's own reader, for two reasons: `bytes` come back as
 * views into the buffer instead of copies, and reading past the end throws at once, where avsc reads on.
 *
 * Binary encoding: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class BoundedTap {
  #pos: number;
  /** How many more elements all arrays together may have: each takes a byte at least, but for such as hold nothing. */
  #elementsLeft: number;

  constructor(
    readonly buf: Buffer,
    pos: number,
  ) {
    this.#pos = pos;
    this.#elementsLeft = buf.length - pos;
  }

  get pos(): number {
    return this.#pos;
  }

  /** avsc skips blocks by moving on; a corrupt size would move back and read the same for ever. */
  set pos(value: number) {
    this.#take(value - this.#pos);
  }

  /** Moves on by `length` bytes and says where they began. */
  #take(length: number): number {
    const start = this.#pos;
    const end = start + length;
    if (!(length >= 0) || end > this.buf.length) {
      throw new RangeError(
        `Avro data ends early: ${length} bytes expected at ${start}, ${this.buf.length - start} left`,
      );
    }
    this.#pos = end;
    return start;
  }

  readBoolean(): boolean {
    return this.buf[this.#take(1)] !== 0;
  }

  /**
   * A zigzag varint of at most ten bytes; exact up to 2^53, which covers sizes, dimensions and timestamps. The
   * sign, its lowest bit, is kept apart: together with 53 bits it would not fit a double.
   */
  readLong(): number {
    const first = this.#readByte();
    const negative = (first & 1) === 1;
    let value = (first & 0x7f) >> 1;
    let scale = 64;
    for (let byte = first, count = 1; byte >= 0x80; count++) {
      if (count === 10) throw new RangeError('Avro data has an integer of more than ten bytes');
      byte = this.#readByte();
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    return negative ? -value - 1 : value;
  }

  #readByte(): number {
    const byte = this.buf[this.#pos];
    if (byte === undefined) throw new RangeError(`Avro data ends early: a byte expected at ${this.#pos}`);
    this.#pos++;
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

  /**
   * Elements of the next block of an array; 0 at its end.
   * @throws RangeError when there are more than bytes are left, or more of all arrays than the data have bytes: elements may
   * take none
   */
  readBlockCount(): number {
    let count = this.readLong();
    if (count < 0) {
      count = -count;
      this.skipLong();
    }
    const left = this.buf.length - this.#pos;
    if (count > left)
      throw new RangeError(
        `Avro data ends early: ${count} elements expected at ${this.#pos}, ${left} bytes left`,
      );
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0)
      throw new RangeError(`Avro data have more elements in arrays than bytes, ${this.buf.length}`);
    return count;
  }

  isValid(): boolean {
    return this.#pos <= this.buf.length;
  }
}
