import { Fifo } from '../../core/fifo.js';

/**
 * What a partition owes: every record taken from it, in order of offset, until its outcome is acknowledged
 * by the broker. Says which outcomes may leave next and how far the partition may be committed.
 *
 *   offsets   3     4       5     6        7
 *   state     sent  ready   open  ready    open
 *             ^ committable = 3   ^ waits for 5 when ordered
 */
export class PartitionLedger<Subject, Outcome> {
  readonly #entries = new Fifo<Entry<Subject, Outcome>>();
  /** So many of the entries have left from the head on; with those that overtook there may be more. */
  #released = 0;
  #next: number | undefined;
  #committed: number | undefined;

  constructor(readonly ordered: boolean) {}

  /** Begins at an offset whose position is committed already. */
  begin(offset: number): void {
    this.#next = offset;
    this.#committed = offset;
  }

  /**
   * Takes a record on. Ask `isRewound` before.
   * @returns undefined when the record is in here already: a redelivery whose outcome is on its way
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
   * Whether a record comes from before all that is in here: the partition was read again from an earlier position, or
   * its topic was made anew and counts from the beginning. This ledger knows nothing of such records.
   */
  isRewound(offset: number): boolean {
    return this.#next !== undefined && offset < (this.#entries.at(0)?.offset ?? this.#next);
  }

  /**
   * The outcome of a record is known.
   * @param overtakes whether it leaves at once, whatever is before it
   * @returns the outcomes that may leave now, in the order in which they must
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

  /** The broker has the outcome. */
  acknowledge(entry: Entry<Subject, Outcome>): void {
    entry.finish();
    while (this.#entries.at(0)?.state === 'done') {
      this.#entries.shift();
      if (this.#released > 0) this.#released--;
    }
  }

  /** Gives the partition up. @returns the outcomes that were ready and will now never leave */
  abandon(): Entry<Subject, Outcome>[] {
    return this.#entries.toArray().filter(({ state }) => state === 'ready');
  }

  /** Records whose outcome is not acknowledged, or that wait behind such a one. */
  get pending(): number {
    return this.#entries.length;
  }

  /** The offset after the last record that was taken on; undefined before the first. */
  get next(): number | undefined {
    return this.#next;
  }

  /** The offset of the lowest unfinished record, or `next` when all are finished. */
  get position(): number | undefined {
    return this.#entries.at(0)?.offset ?? this.#next;
  }

  /** The position to commit. Undefined when there is nothing new. */
  get committable(): number | undefined {
    const { position } = this;
    return position === this.#committed ? undefined : position;
  }

  committed(position: number): void {
    this.#committed = position;
  }
}

/** A record's place in the ledger. Once its outcome is acknowledged it is only an offset that waits for those before it. */
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
    if (this.#subject === undefined) throw new Error(`the record at offset ${this.offset} is done with`);
    return this.#subject;
  }

  /** The record itself is no longer held: one that is slow may have very many behind it. */
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
