import { int64 } from './batch-header.js';
import { ByteReader } from './byte-reader.js';
import { AT } from './record-batch.js';

/** Key type of the control record that aborts a transaction. */
const ABORT = 0;

/** A transaction whose records are hidden, from this offset to its marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Tracks aborted transactions, whose records are hidden; the broker lists them in the order in which they end. */
export class HiddenTransactions {
  readonly #open = new Set<number>();
  readonly #aborted: readonly AbortedTransaction[];
  #begun = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset);
  }

  hides(batch: Buffer, lastOffset: number): boolean {
    this.#begin(lastOffset);
    return this.#open.has(int64(batch, AT.producerId));
  }

  /** Handles a marker, which ends its producer's transaction. */
  pass(batch: Buffer): void {
    this.#begin(int64(batch, AT.baseOffset));
    if (markerType(batch) === ABORT) this.#open.delete(int64(batch, AT.producerId));
  }

  #begin(offset: number): void {
    for (; this.#begun < this.#aborted.length; this.#begun++) {
      const next = this.#aborted[this.#begun];
      if (!next || next.firstOffset > offset) return;
      this.#open.add(next.producerId);
    }
  }
}

/** Reads the type of a marker, whose key consists of version and type. */
function markerType(batch: Buffer): number | undefined {
  const reader = new ByteReader(batch, AT.records);
  reader.varint();
  reader.skip(1);
  reader.varlong();
  reader.varint();
  return reader.bytesOrNull()?.readInt16BE(2);
}
