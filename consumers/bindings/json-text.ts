/** The range of a value in a text; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const BLANK = /\s/;
const END_OF_SCALAR = /[,\]}\s]/;

/**
 * Finds the ranges of an object's member values in its text; for repeated names, the last. Text can then be extended
 * without parsing numbers, which would lose digits.
 * @param text a valid JSON document that is an object
 */
export function memberSpans(text: string): Map<string, Span> {
  const spans = new Map<string, Span>();
  let at = skipBlanks(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const nameEnd = endOfString(text, at);
    const start = skipBlanks(text, text.indexOf(':', nameEnd) + 1);
    const end = endOfValue(text, start);
    spans.set(JSON.parse(text.slice(at, nameEnd)) as string, { start, end });
    at = skipBlanks(text, end);
    if (text[at] !== ',') break;
    at = skipBlanks(text, at + 1);
  }
  return spans;
}

/** Inserts text before the closing bracket of an object or array, with a comma if it is not empty. */
export function appended(text: string, added: string): string {
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
  const before = text.slice(0, end);
  const isEmpty = /^\s*[{[]\s*$/.test(before);
  return `${before}${isEmpty || added === '' ? '' : ','}${added}${text.slice(end)}`;
}

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first === '{' || first === '[') return endOfBrackets(text, start);
  let at = start;
  while (at < text.length && !END_OF_SCALAR.test(text[at] ?? '')) at++;
  return at;
}

function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && BLANK.test(text[at] ?? '')) at++;
  return at;
}
