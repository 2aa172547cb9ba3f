/**
 * How many owners of a partition began at its committed position and did not leave it in order. It is kept as the
 * metadata of that position, so it survives the owners and needs no storage of its own.
 */
export interface CrashMark {
  /** Owners that began here, the present one included. 0: the last one left in order, with nothing unfinished. */
  readonly owners: number;
  /** Owners may have computed records before this offset, and none from it on. */
  readonly until: number;
  /** All records are suspects until then, milliseconds since the epoch: one of them did crash. 0: none did lately. */
  readonly isolatedUntil: number;
}

/** How long all records of a topic are suspects after one of them crashed. */
export const ISOLATION_MS = 10 * 60_000;

/** Records that an owner takes on beyond what its mark says before it has to write a new mark. */
export const MARK_AHEAD_RECORDS = 4_000;

const NO_MARK: CrashMark = { owners: 0, until: 0, isolatedUntil: 0 };
const MARK = /^partitura owners=(\d{1,6}) until=(\d{1,16}) isolated=(\d{1,16})$/;

/** Reads the metadata of a committed position; text that is not a mark counts as none, as other tools leave it. */
export function parseMark(metadata: string): CrashMark {
  const fields = MARK.exec(metadata);
  if (!fields) return NO_MARK;
  const [owners = 0, until = 0, isolatedUntil = 0] = fields.slice(1).map(Number);
  return { owners, until, isolatedUntil };
}

/** Writes what `parseMark` reads. */
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
 * Every commit of a serving owner carries a mark, so that a crash is seen wherever the position stands by then.
 */
export class CrashCount {
  #markedUntil = 0;

  private constructor(
    readonly inherited: CrashMark,
    /** Records before this offset are suspects: each is computed alone, in a process that may die. */
    readonly suspectUntil: number,
  ) {}

  /**
   * @param metadata of the committed position
   * @param endOffset of the partition: what did not exist when an earlier owner crashed is no suspect
   * @param unmarkedUntil where a crash is known all the same: its owner may have died before it could leave a mark
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
   * @param next the offset after the last record that was taken on
   */
  serving(position: number, next: number, isolatedUntil: number): string {
    this.#markedUntil = next + MARK_AHEAD_RECORDS;
    return formatMark({ owners: this.#ownersBefore(position) + 1, until: this.#markedUntil, isolatedUntil });
  }

  /** Tells when what is taken on is about to pass what the last mark covers. */
  needsMark(next: number): boolean {
    return next > this.#markedUntil - MARK_AHEAD_RECORDS / 2;
  }

  /** Marks a position when the partition is given up in order: what is still suspect stays so. */
  released(position: number, isolatedUntil: number): string {
    return formatMark({ owners: this.#ownersBefore(position), until: this.suspectUntil, isolatedUntil });
  }

  /** Earlier owners that may have crashed on a record that is not finished at this position. */
  #ownersBefore(position: number): number {
    return position < this.suspectUntil ? this.inherited.owners : 0;
  }
}
