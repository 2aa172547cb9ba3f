import avro from 'avsc';
import type { BoundedTap } from './tap.js';

interface ArrayReader {
  readonly itemsType: { _read(tap: BoundedTap): unknown; _skip(tap: BoundedTap): void };
}

/**
 * Reads an array element by element. avsc would allocate as many elements as an array declares before it reads the
 * first: thirty bytes of an external record would take a quarter of a gigabyte. Types and resolvers share this
 * method.
 */
function readArray(this: ArrayReader, tap: BoundedTap): unknown[] {
  const items: unknown[] = [];
  for (let left = tap.readBlockCount(); left > 0; left = tap.readBlockCount()) {
    for (; left > 0; left--) items.push(this.itemsType._read(tap));
  }
  return items;
}

/**
 * Skips an array with a limit on its elements. avsc skips as many as declared: with elements that take no bytes,
 * fifty bytes of an external record would block the event loop forever.
 */
function skipArray(this: ArrayReader, tap: BoundedTap): void {
  for (let left = tap.readBlockCount(); left > 0; left = tap.readBlockCount()) {
    for (; left > 0; left--) this.itemsType._skip(tap);
  }
}

/** Patches all array types; from then on, they can be read only through `BoundedTap`. */
export function boundArrays(): void {
  Object.assign(avro.types.ArrayType.prototype, { _read: readArray, _skip: skipArray });
}
