import { SaxesParser, type SaxesTagNS } from 'saxes';
import { PartituraError } from '../../schemas/errors.js';

/** Namespace of `partitura.xsd`. */
export const NAMESPACE = 'urn:partitura:xml:1';

const MAX_DEPTH = 64;
const MAX_EMPTY_LISTS = 1;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const SPECIAL: Readonly<Record<string, string>> = { NaN: 'NaN', INF: 'Infinity', '-INF': '-Infinity' };

/** An open element. */
interface Frame {
  readonly kind: string;
  readonly name: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** JSON texts of its members or elements. */
  readonly parts: string[];
  text: string;
}

/**
 * Converts a body of `partitura.xsd` to the JSON text that it stands for. Entities are never expanded: every DOCTYPE is
 * refused.
 * @throws PartituraError DECODE_FAILED that names the line
 */
export function xmlToJson(xml: string): string {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const frames: Frame[] = [];
  let result: string | undefined;
  const fail = (problem: string): never => {
    throw new PartituraError('DECODE_FAILED', `XML, line ${parser.line}: ${problem}`);
  };
  parser.on('error', (error) => fail(error.message.replace(/^\d+:\d+: /, '')));
  parser.on('doctype', () => fail('expected no DOCTYPE, got one'));
  parser.on('opentag', (tag) => {
    if (frames.length >= MAX_DEPTH) fail(`expected at most ${MAX_DEPTH} nested elements, got more`);
    frames.push(frameOf(tag, fail));
  });
  parser.on('text', (text) => {
    const frame = frames.at(-1);
    if (frame) frame.text += text;
  });
  parser.on('cdata', (text) => {
    const frame = frames.at(-1);
    if (frame) frame.text += text;
  });
  parser.on('closetag', () => {
    const frame = frames.pop();
    if (!frame) return;
    const json = jsonOf(frame, fail);
    const outer = frames.at(-1);
    if (!outer) result = json;
    else outer.parts.push(outer.kind === 'object' ? memberOf(frame, json, fail) : json);
  });
  parser.write(xml).close();
  return result ?? fail('expected an element, got none');
}

type Fail = (problem: string) => never;

function frameOf({ local, uri, attributes }: SaxesTagNS, fail: Fail): Frame {
  if (uri !== NAMESPACE) fail(`expected elements of namespace ${NAMESPACE}, got <${local}> of '${uri}'`);
  const values = Object.fromEntries(Object.values(attributes).map((one) => [one.local, one.value]));
  return { kind: local, name: values['name'], attributes: values, parts: [], text: '' };
}

function memberOf({ kind, name }: Frame, json: string, fail: Fail): string {
  if (name === undefined) return fail(`<${kind}> in an object: expected a name, got none`);
  return `${JSON.stringify(name)}:${json}`;
}

function jsonOf(frame: Frame, fail: Fail): string {
  const { kind, parts, text, attributes } = frame;
  const isContainer = kind === 'object' || kind === 'array';
  if (isContainer && text.trim() !== '') fail(`<${kind}>: expected elements only, got text`);
  if (!isContainer && parts.length > 0) fail(`<${kind}>: expected text only, got an element`);
  switch (kind) {
    case 'object':
      return `{${parts.join(',')}}`;
    case 'array':
      return `[${parts.join(',')}]`;
    case 'numbers':
      return numbersOf(text, attributes['shape'], fail);
    case 'number':
      return numberOf(text.trim(), fail);
    case 'string':
      return stringOf(text, attributes['encoding']);
    case 'boolean':
      return booleanOf(text.trim(), fail);
    case 'null':
      return 'null';
    default:
      return fail(`expected object, array, numbers, number, string, boolean or null, got <${kind}>`);
  }
}

function numberOf(text: string, fail: Fail): string {
  const special = SPECIAL[text];
  if (special !== undefined) return special;
  return NUMBER.test(text) ? text : fail(`expected a number, got '${text.slice(0, 40)}'`);
}

function stringOf(text: string, encoding: string | undefined): string {
  return JSON.stringify(encoding === 'base64' ? Buffer.from(text, 'base64').toString('utf8') : text);
}

function booleanOf(text: string, fail: Fail): string {
  if (text === 'true' || text === '1') return 'true';
  return text === 'false' || text === '0'
    ? 'false'
    : fail(`expected true or false, got '${text.slice(0, 40)}'`);
}

function numbersOf(text: string, shapeText: string | undefined, fail: Fail): string {
  const trimmed = text.trim();
  const numbers = trimmed === '' ? [] : trimmed.split(/\s+/).map((token) => numberOf(token, fail));
  const shape = shapeText === undefined ? [numbers.length] : sizesOf(shapeText, fail);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== numbers.length)
    fail(`<numbers>: expected ${count} for shape '${shapeText}', got ${numbers.length}`);
  return nest(numbers, shape);
}

function sizesOf(text: string, fail: Fail): number[] {
  const sizes = text.trim().split(/\s+/).map(Number);
  const isShape = sizes.length <= MAX_DEPTH && sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
  // Beside a size of 0, others would make any number of empty lists.
  if (isShape && sizes.includes(0) && sizes.some((size) => size > MAX_EMPTY_LISTS))
    fail(`shape: expected sizes up to ${MAX_EMPTY_LISTS} beside 0, got '${text.slice(0, 40)}'`);
  return isShape ? sizes : fail(`shape: expected whole numbers, got '${text.slice(0, 40)}'`);
}

function nest(numbers: readonly string[], [size = 0, ...rest]: readonly number[]): string {
  if (rest.length === 0) return `[${numbers.join(',')}]`;
  const width = numbers.length / Math.max(1, size);
  const rows = Array.from({ length: size }, (_, row) =>
    nest(numbers.slice(row * width, (row + 1) * width), rest),
  );
  return `[${rows.join(',')}]`;
}
