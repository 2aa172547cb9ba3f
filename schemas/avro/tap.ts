/**
 * Reads Avro primitives from a buffer, instead of avsc's own reader, for two reasons: `bytes` are returned as views
 * into the buffer rather than copies, and reading past the end throws at once, where avsc continues.
 *
 * Binary encoding: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class BoundedTap {
  #pos: number;
  /** Remaining elements of all arrays together; each takes at least one byte, unless its type is empty. */
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

  /**
   * Skips a block. The position may only advance: a corrupt size would move it back and read the same data forever.
   */
  set pos(value: number) {
    this.#take(value - this.#pos);
  }

  /** Advances by `length` bytes and returns the start position. */
  #take(length: number): number {
    const start = this.#pos;
    const end = start + length;
    if (!(length >= 0) || end > this.buf.length) {
      throw new RangeError(
        `Avro data is truncated: ${length} bytes expected at ${start}, ${this.buf.length - start} left`,
      );
    }
    this.#pos = end;
    return start;
  }

  readBoolean(): boolean {
    return this.buf[this.#take(1)] !== 0;
  }

  /**
   * Reads a zigzag varint of at most ten bytes; exact up to 2^53, which covers sizes, dimensions and timestamps. The
   * sign, its lowest bit, is kept separate: together with 53 bits it would not fit into a double.
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
    if (byte === undefined) throw new RangeError(`Avro data is truncated: a byte expected at ${this.#pos}`);
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
   * Returns the number of elements in the next block of an array; 0 at its end.
   * @throws RangeError if there are more elements than bytes left, or all arrays together have more elements than the
   * data has bytes (elements may take none)
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
        `Avro data is truncated: ${count} elements expected at ${this.#pos}, ${left} bytes left`,
      );
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0)
      throw new RangeError(`Avro data has more array elements than bytes (${this.buf.length})`);
    return count;
  }

  isValid(): boolean {
    return this.#pos <= this.buf.length;
  }
}
