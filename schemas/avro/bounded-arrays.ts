import avro from 'avsc';
import type { BoundedTap } from './tap.js';

interface ArrayReader {
  readonly itemsType: { _read(tap: BoundedTap): unknown; _skip(tap: BoundedTap): void };
}

/**
 * avsc makes room for as many elements as an array claims to have before it reads the first: thirty bytes
 * of a stranger's record would take a quarter of a gigabyte. Types and resolvers share this method.
 */
function readArray(this: ArrayReader, tap: BoundedTap): unknown[] {
  const items: unknown[] = [];
  for (let left = tap.readBlockCount(); left > 0; left = tap.readBlockCount()) {
    for (; left > 0; left--) items.push(this.itemsType._read(tap));
  }
  return items;
}

/**
 * avsc skips what a reader does not want element by element, as many as there are claimed to be: of elements that take no
 * bytes fifty bytes of a stranger's record would keep the event loop for ever.
 */
function skipArray(this: ArrayReader, tap: BoundedTap): void {
  for (let left = tap.readBlockCount(); left > 0; left = tap.readBlockCount()) {
    for (; left > 0; left--) this.itemsType._skip(tap);
  }
}

/** Makes all array types read so; only `BoundedTap` can be read from afterwards. */
export function boundArrays(): void {
  Object.assign(avro.types.ArrayType.prototype, { _read: readArray, _skip: skipArray });
}
