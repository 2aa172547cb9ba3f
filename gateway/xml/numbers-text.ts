const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const SPECIAL: Readonly<Record<string, string>> = { NaN: 'NaN', INF: 'Infinity', '-INF': '-Infinity' };
/** Numbers converted without a break: a few milliseconds. */
const NUMBERS_AT_A_TIME = 4_096;

/** Refuses a document, with a problem. */
export type Fail = (problem: string) => never;

/** Returns the JSON text of a number. */
export function numberOf(text: string, fail: Fail): string {
  const special = SPECIAL[text];
  if (special !== undefined) return special;
  return NUMBER.test(text) ? text : fail(`expected a number, got '${text.slice(0, 40)}'`);
}

/** The text of a `numbers` element: a rectangular array in row-major order. */
export class NumbersText {
  /** @param shape undefined for a plain list */
  constructor(
    readonly text: string,
    readonly shape: readonly number[] | undefined,
    readonly fail: Fail,
  ) {}

  /** Converts it to JSON, some numbers at a time. */
  *jsonTexts(): Generator<string> {
    const { shape, text, fail } = this;
    const blocks = blocksOf(shape ?? []);
    const expected = shape ? (blocks[0] ?? 1) : Infinity;
    let json = expected === 0 ? emptyLists(shape ?? []) : shape ? '' : '[';
    let count = 0;
    for (const [token] of text.matchAll(/\S+/g)) {
      if (count < expected) {
        json += `${count === 0 ? '' : ','}${'['.repeat(edges(count, blocks))}${numberOf(token, fail)}`;
        json += ']'.repeat(edges(count + 1, blocks));
      }
      if (++count % NUMBERS_AT_A_TIME !== 0) continue;
      yield json;
      json = '';
    }
    if (shape && count !== expected)
      fail(`<numbers>: expected ${expected} for shape '${shape.join(' ')}', got ${count}`);
    yield shape ? json : `${json}]`;
  }
}

/** Returns the number of elements of an array of each level. */
function blocksOf(shape: readonly number[]): number[] {
  return shape.map((_, level) => shape.slice(level).reduce((product, size) => product * size, 1));
}

/** Counts the arrays that begin before the element at `index`, or end there. */
function edges(index: number, blocks: readonly number[]): number {
  let count = 0;
  for (const block of blocks) if (index % block === 0) count++;
  return count;
}

/** Returns nested lists without elements; their sizes are small. */
function emptyLists([size = 0, ...rest]: readonly number[]): string {
  if (rest.length === 0) return '[]';
  return `[${Array.from({ length: size }, () => emptyLists(rest)).join(',')}]`;
}
