import type { AcknowledgementRange, AcknowledgeType } from '../protocol/share-fetch.js';

/** Merges acknowledgements by offset to ranges of consecutive offsets, in ascending order. */
export function toRanges(types: ReadonlyMap<number, AcknowledgeType>): AcknowledgementRange[] {
  const ranges: { first: number; last: number; types: AcknowledgeType[] }[] = [];
  for (const [offset, type] of [...types].sort(([one], [other]) => one - other)) {
    const open = ranges.at(-1);
    if (open?.last !== offset - 1) ranges.push({ first: offset, last: offset, types: [type] });
    else {
      open.last = offset;
      open.types.push(type);
    }
  }
  return ranges.map(({ first, last, types: all }) => ({ first, last, types: shortened(all) }));
}

/** One type stands for all. */
function shortened(types: readonly AcknowledgeType[]): readonly AcknowledgeType[] {
  const [first] = types;
  return first !== undefined && types.every((type) => type === first) ? [first] : types;
}

/** Splits acknowledgements in two halves of about as many offsets; a single offset is returned as it is. */
export function halved(types: ReadonlyMap<number, AcknowledgeType>): Map<number, AcknowledgeType>[] {
  const all = [...types].sort(([one], [other]) => one - other);
  const middle = Math.ceil(all.length / 2);
  return [all.slice(0, middle), all.slice(middle)]
    .filter((half) => half.length > 0)
    .map((half) => new Map(half));
}
