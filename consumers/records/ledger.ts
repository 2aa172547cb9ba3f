import { Fifo } from '../../core/fifo.js';

/**
 * The unfinished records of one partition, in order of offset, until their outcomes are acknowledged by the broker.
 * Decides which outcomes may leave next and which position may be committed.
 *
 *   offsets   3     4       5     6        7
 *   state     sent  ready   open  ready    open
 *             ^ committable = 3   ^ waits for 5 when ordered
 */
export class PartitionLedger<Subject, Outcome> {
  readonly #entries = new Fifo<Entry<Subject, Outcome>>();
  /** Number of released entries at the head; entries that overtook are not counted. */
  #released = 0;
  #next: number | undefined;
  #committed: number | undefined;

  constructor(readonly ordered: boolean) {}

  /** Starts at an offset that is committed already. */
  begin(offset: number): void {
    this.#next = offset;
    this.#committed = offset;
  }

  /**
   * Opens an entry for a record. Call `isRewound` first.
   * @returns undefined for a redelivery of a record that is already in the ledger
   */
  open(offset: number, subject: Subject): Entry<Subject, Outcome> | undefined {
    if (this.#next !== undefined && offset < this.#next) return undefined;
    this.#committed ??= offset;
    this.#next = offset + 1;
    const entry = new Entry<Subject, Outcome>(offset, subject);
    this.#entries.push(entry);
    return entry;
  }

  /**
   * Returns true for a record before everything in the ledger: the partition is read again from an earlier position, or
   * its topic was recreated and offsets restarted.
   */
  isRewound(offset: number): boolean {
    return this.#next !== undefined && offset < (this.#entries.at(0)?.offset ?? this.#next);
  }

  /**
   * Records the outcome of a record.
   * @param overtakes true if it leaves at once, ahead of earlier records
   * @returns the outcomes that may leave now, in order
   */
  settle(entry: Entry<Subject, Outcome>, outcome: Outcome, overtakes = false): Entry<Subject, Outcome>[] {
    entry.state = 'ready';
    entry.outcome = outcome;
    if (!this.ordered) return [markSent(entry)];
    const first = overtakes ? [markSent(entry)] : [];
    return [...first, ...this.#releasePrefix()];
  }

  #releasePrefix(): Entry<Subject, Outcome>[] {
    const released: Entry<Subject, Outcome>[] = [];
    for (
      let entry = this.#entries.at(this.#released);
      entry && entry.state !== 'open';
      entry = this.#entries.at(this.#released)
    ) {
      if (entry.state === 'ready') released.push(markSent(entry));
      this.#released++;
    }
    return released;
  }

  /** Notes that the broker has the outcome. */
  acknowledge(entry: Entry<Subject, Outcome>): void {
    entry.finish();
    while (this.#entries.at(0)?.state === 'done') {
      this.#entries.shift();
      if (this.#released > 0) this.#released--;
    }
  }

  /** Abandons all entries. @returns the outcomes that were ready and will never leave */
  abandon(): Entry<Subject, Outcome>[] {
    return this.#entries.toArray().filter(({ state }) => state === 'ready');
  }

  /** Number of entries: records without an acknowledged outcome, and those behind them. */
  get pending(): number {
    return this.#entries.length;
  }

  /** The offset after the last record; undefined before the first. */
  get next(): number | undefined {
    return this.#next;
  }

  /** The offset of the lowest unfinished record, or `next` when all are finished. */
  get position(): number | undefined {
    return this.#entries.at(0)?.offset ?? this.#next;
  }

  /** The position to commit; undefined if it has not moved. */
  get committable(): number | undefined {
    const { position } = this;
    return position === this.#committed ? undefined : position;
  }

  committed(position: number): void {
    this.#committed = position;
  }
}

/** A record in the ledger. After acknowledgement only its offset remains, until all earlier records are finished. */
export class Entry<Subject, Outcome> {
  state: 'open' | 'ready' | 'sent' | 'done' = 'open';
  outcome: Outcome | undefined;
  #subject: Subject | undefined;

  constructor(
    readonly offset: number,
    subject: Subject,
  ) {
    this.#subject = subject;
  }

  /** The owner's data about the record. @throws Error once the entry is finished */
  get subject(): Subject {
    if (this.#subject === undefined) throw new Error(`the record at offset ${this.offset} is finished`);
    return this.#subject;
  }

  /** Releases the record: a slow one may have very many finished ones behind it. */
  finish(): void {
    this.state = 'done';
    this.outcome = undefined;
    this.#subject = undefined;
  }
}

function markSent<Subject, Outcome>(entry: Entry<Subject, Outcome>): Entry<Subject, Outcome> {
  entry.state = 'sent';
  return entry;
}
