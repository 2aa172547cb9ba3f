import { RoundedNumber } from '../../schemas/exact-number.js';
import { isNumberArray, type NumberArray } from '../json/number-array.js';
import { NAMESPACE } from './xml-to-json.js';

/** Characters that XML 1.0 cannot hold, not even escaped: most controls, and halves of surrogate pairs. */
const UNREPRESENTABLE = /[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]|\p{Cs}/u;

/** Converts a JSON value, with arrays of numbers as the scanner reads them, to a document of `partitura.xsd`. */
export function jsonToXml(value: unknown): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(value, ` xmlns="${NAMESPACE}"`)}\n`;
}

function element(value: unknown, attributes: string): string {
  if (isNumberArray(value)) return numbers(value, attributes);
  if (Array.isArray(value)) return array(value as unknown[], attributes);
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return `<number${attributes}>${numberText(value)}</number>`;
    case 'string':
      return text(value, attributes);
    case 'boolean':
      return `<boolean${attributes}>${value}</boolean>`;
    default:
      if (value instanceof RoundedNumber) return `<number${attributes}>${numberText(value.value)}</number>`;
      return value === null || value === undefined ? `<null${attributes}/>` : object(value, attributes);
  }
}

function object(value: object, attributes: string): string {
  const members = Object.entries(value).map(([name, entry]) => element(entry, ` name="${escaped(name)}"`));
  return `<object${attributes}>${members.join('')}</object>`;
}

function array(values: readonly unknown[], attributes: string): string {
  const flat: (number | bigint)[] = [];
  const shape = rectangle(values, flat);
  if (shape)
    return `<numbers${attributes} shape="${shape.join(' ')}">${flat.map(numberText).join(' ')}</numbers>`;
  return `<array${attributes}>${values.map((one) => element(one, '')).join('')}</array>`;
}

/** Collects the numbers of nested lists; returns their shape, or undefined if they are not rectangular or not numbers. */
function rectangle(values: readonly unknown[], flat: (number | bigint)[]): readonly number[] | undefined {
  let inner: readonly number[] | undefined;
  for (const value of values) {
    const shape = isNumber(value) ? [] : Array.isArray(value) ? rectangle(value, flat) : undefined;
    if (!shape || (inner && inner.join() !== shape.join())) return undefined;
    if (isNumber(value)) flat.push(value);
    inner = shape;
  }
  return inner && [values.length, ...inner];
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function numbers({ shape, values, exact }: NumberArray, attributes: string): string {
  const texts = Array.from(values, (number, index) => numberText(digitsOf(exact.get(index), number)));
  return `<numbers${attributes} shape="${shape.join(' ')}">${texts.join(' ')}</numbers>`;
}

/** Returns the integer to the digit if it is known, otherwise the double. */
function digitsOf(exact: bigint | RoundedNumber | undefined, number: number): number | bigint {
  return typeof exact === 'bigint' ? exact : number;
}

/** Writes a number in the lexical form of xs:integer or xs:double. */
function numberText(number: number | bigint): string {
  if (number === Infinity) return 'INF';
  return number === -Infinity ? '-INF' : String(number);
}

function text(value: string, attributes: string): string {
  if (UNREPRESENTABLE.test(value))
    return `<string${attributes} encoding="base64">${Buffer.from(value).toString('base64')}</string>`;
  return `<string${attributes}>${escaped(value)}</string>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

function escaped(value: string): string {
  return value.replace(/[&<>"\r\n\t]/g, (character) => ESCAPES[character] ?? character);
}
