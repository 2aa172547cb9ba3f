/**
 * Number of owners of a partition that started at its committed position without an orderly release. It is stored in the
 * metadata of that position, so it survives the owners and needs no storage of its own.
 */
export interface CrashMark {
  /** Owners that started here, including the current one; 0 after an orderly release with nothing unfinished. */
  readonly owners: number;
  /** Exclusive end of the offsets that owners may have computed. */
  readonly until: number;
  /** Time until which all records are suspects after a crash, milliseconds since the epoch; 0 for none. */
  readonly isolatedUntil: number;
}

/** Records beyond the end of its mark that an owner accepts before it writes a new one. */
export const MARK_AHEAD_RECORDS = 4_000;

const NO_MARK: CrashMark = { owners: 0, until: 0, isolatedUntil: 0 };
const MARK = /^partitura owners=(\d{1,6}) until=(\d{1,16}) isolated=(\d{1,16})$/;

/** Parses the metadata of a committed position; any other text, as written by other tools, counts as no mark. */
export function parseMark(metadata: string): CrashMark {
  const fields = MARK.exec(metadata);
  if (!fields) return NO_MARK;
  const [owners = 0, until = 0, isolatedUntil = 0] = fields.slice(1).map(Number);
  return { owners, until, isolatedUntil };
}

/** Formats a mark for `parseMark`. */
export function formatMark({ owners, until, isolatedUntil }: CrashMark): string {
  return owners === 0 && isolatedUntil === 0
    ? ''
    : `partitura owners=${owners} until=${until} isolated=${isolatedUntil}`;
}

/**
 * Counts crashes of one partition during one assignment:
 *
 *   committed position        suspectUntil                    until
 *   ├── suspects ─────────────┤── ordinary records ───────────┤
 *   an earlier owner may have    computed by this owner, or about to be
 *   crashed on one of these
 *
 * Every commit of a serving owner carries a mark, so that a crash is noticed at any position.
 */
export class CrashCount {
  #markedUntil = 0;

  private constructor(
    readonly inherited: CrashMark,
    /** Exclusive end of the suspects, which are computed in a child process. */
    readonly suspectUntil: number,
  ) {}

  /**
   * @param metadata of the committed position
   * @param endOffset of the partition: records that did not exist when an earlier owner crashed are not suspects
   * @param unmarkedUntil end of the suspects if a crash is known without a mark: the owner may have crashed before it wrote one
   */
  static takeOver(metadata: string, endOffset: number, unmarkedUntil = 0): CrashCount {
    const found = parseMark(metadata);
    const isUnmarked = found.owners === 0 && unmarkedUntil > 0;
    const mark = isUnmarked ? { ...found, owners: 1, until: unmarkedUntil } : found;
    return new CrashCount(mark, mark.owners === 0 ? 0 : Math.min(mark.until, endOffset));
  }

  isSuspect(offset: number): boolean {
    return offset < this.suspectUntil;
  }

  /**
   * Marks a position while the partition is served.
   * @param next the offset after the last accepted record
   */
  serving(position: number, next: number, isolatedUntil: number): string {
    this.#markedUntil = next + MARK_AHEAD_RECORDS;
    return formatMark({ owners: this.#ownersBefore(position) + 1, until: this.#markedUntil, isolatedUntil });
  }

  /** Returns true when accepted records are about to pass the end of the last mark. */
  needsMark(next: number): boolean {
    return next > this.#markedUntil - MARK_AHEAD_RECORDS / 2;
  }

  /** Returns the mark of a position at an orderly release; unfinished suspects stay suspects. */
  released(position: number, isolatedUntil: number): string {
    return formatMark({ owners: this.#ownersBefore(position), until: this.suspectUntil, isolatedUntil });
  }

  /** Counts earlier owners that may have crashed on a record that is unfinished at this position. */
  #ownersBefore(position: number): number {
    return position < this.suspectUntil ? this.inherited.owners : 0;
  }
}
