import { isUtf8 } from 'node:buffer';
import { JsonError } from './json-error.js';
import { NumberCollector } from './number-array.js';
import type { RoundedNumber } from '../../schemas/exact-number.js';
import { NumberToken } from './number-token.js';

/** Nesting of a body, beyond that of any tensor. */
const MAX_DEPTH = 64;
/** Longest number or literal that may lie across two chunks. */
const LONGEST_NUMBER = 1_024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

const LITERALS: readonly (readonly [Buffer, unknown])[] = (
  [
    ['true', true],
    ['false', false],
    ['null', null],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ] as const
).map(([text, value]) => [Buffer.from(text), value]);

/** The token that may come next. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'separator' | 'end';

type Frame =
  | { readonly kind: 'array'; readonly array: unknown[] }
  | { readonly kind: 'object'; readonly object: Record<string, unknown>; key: string };

/**
 * A JSON parser that is fed chunks of bytes: nested arrays of numbers go straight into a `NumberArray`, everything else
 * becomes what `JSON.parse` makes of it. Beyond JSON it takes `NaN`, `Infinity` and `-Infinity`, as Python writes them.
 * Integers beyond 2^53 are bigints. The error texts are those that clients of TensorFlow Serving know.
 */
export class JsonScanner {
  readonly #frames: Frame[] = [];
  readonly #number = new NumberToken();
  #numbers: NumberCollector | undefined;
  #expected: Expected = 'value';
  /** Begin of a token that the last chunk ended in; a long string arrives in many pieces. */
  #carry: Buffer[] = [];
  /** Bytes of the carried token that are known not to end it. */
  #searched = 0;
  /** Offset of the current chunk in the text. */
  #offset = 0;
  #isFinal = false;
  #result: unknown;

  /** Reads a chunk. @throws JsonError */
  push(chunk: Buffer): void {
    if (this.#searched > 0 && !this.#isFinal && !chunk.includes(QUOTE)) {
      this.#carry.push(chunk);
      this.#searched += chunk.length;
      return;
    }
    const bytes = this.#carry.length > 0 ? Buffer.concat([...this.#carry, chunk]) : chunk;
    const end = this.#scan(bytes);
    this.#carry = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#offset += end;
  }

  /** Ends the text. @returns its value @throws JsonError */
  end(): unknown {
    this.#isFinal = true;
    this.push(Buffer.alloc(0));
    if (this.#expected === 'end') return this.#result;
    throw this.#error(this.#offset === 0 ? 'The document is empty.' : this.#missing(), 0);
  }

  /** @returns the number of bytes read; a token that may continue in the next chunk is not */
  #scan(bytes: Buffer): number {
    let at = this.#offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte === SPACE || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b && byte !== 0x0c)) at++;
      else {
        const next = this.#token(bytes, at, byte);
        if (next === at) return at;
        at = next;
      }
    }
    return at;
  }

  #token(bytes: Buffer, at: number, byte: number): number {
    switch (this.#expected) {
      case 'separator':
        return this.#separator(at, byte);
      case 'first value':
        if (byte === CLOSE_ARRAY) return this.#close(at, byte);
        return this.#value(bytes, at, byte);
      case 'value':
        return this.#value(bytes, at, byte);
      case 'first key':
        if (byte === CLOSE_OBJECT) return this.#close(at, byte);
        return this.#key(bytes, at, byte);
      case 'key':
        return this.#key(bytes, at, byte);
      case 'colon':
        if (byte !== COLON) throw this.#error('Missing a colon after a name of object member.', at);
        this.#expected = 'value';
        return at + 1;
      case 'end':
        throw this.#error('The document root must not be followed by other values.', at);
    }
  }

  #separator(at: number, byte: number): number {
    if (byte !== COMMA) return this.#close(at, byte);
    this.#expected = this.#frames.at(-1)?.kind === 'object' && !this.#numbers ? 'key' : 'value';
    return at + 1;
  }

  #close(at: number, byte: number): number {
    if (this.#numbers) {
      if (byte !== CLOSE_ARRAY) throw this.#error(this.#missing(), at);
      this.#closeNumbers(this.#numbers);
      return at + 1;
    }
    const frame = this.#frames.at(-1);
    if (byte !== (frame?.kind === 'object' ? CLOSE_OBJECT : CLOSE_ARRAY))
      throw this.#error(this.#missing(), at);
    this.#frames.pop();
    this.#put(frame?.kind === 'object' ? frame.object : frame?.array);
    return at + 1;
  }

  #closeNumbers(numbers: NumberCollector): void {
    if (!numbers.close()) {
      this.#abandonNumbers(numbers);
      const frame = this.#frames.pop();
      this.#put(frame?.kind === 'array' ? frame.array : undefined);
    } else if (numbers.depth === 0) {
      this.#numbers = undefined;
      this.#put(numbers.result());
    } else this.#expected = 'separator';
  }

  #value(bytes: Buffer, at: number, byte: number): number {
    if (byte === OPEN_ARRAY) return this.#openArray(at);
    if (byte === OPEN_OBJECT) return this.#openObject(at);
    if (byte === QUOTE) return this.#string(bytes, at, (text) => this.#put(text));
    if (byte === 0x2d ? bytes[at + 1] !== 0x49 : byte >= 0x30 && byte <= 0x39)
      return this.#readNumber(bytes, at);
    return this.#literal(bytes, at);
  }

  #openArray(at: number): number {
    if (this.#frames.length + (this.#numbers?.depth ?? 0) >= MAX_DEPTH) throw this.#tooDeep(at);
    if (!this.#numbers?.open()) {
      if (this.#numbers) this.#abandonNumbers(this.#numbers);
      this.#numbers = new NumberCollector();
      this.#numbers.open();
    }
    this.#expected = 'first value';
    return at + 1;
  }

  #openObject(at: number): number {
    if (this.#numbers) this.#abandonNumbers(this.#numbers);
    if (this.#frames.length >= MAX_DEPTH) throw this.#tooDeep(at);
    this.#frames.push({ kind: 'object', object: {}, key: '' });
    this.#expected = 'first key';
    return at + 1;
  }

  /** Continues with plain arrays: something other than a rectangular array of numbers follows. */
  #abandonNumbers(numbers: NumberCollector): void {
    this.#numbers = undefined;
    for (const array of numbers.expand()) this.#frames.push({ kind: 'array', array });
  }

  #readNumber(bytes: Buffer, at: number): number {
    const afterRun = this.#numbers?.readRun(bytes, at) ?? at;
    if (afterRun > at) {
      this.#expected = 'value';
      return afterRun;
    }
    const number = this.#number;
    const end = number.read(bytes, at);
    const mayContinue = !this.#isFinal && bytes.length - at < LONGEST_NUMBER;
    if (mayContinue && (end === -1 || end === bytes.length)) return at;
    if (number.problem) throw this.#error(number.problem, at);
    this.#putNumber(number.value);
    return end;
  }

  #putNumber(value: number | bigint | RoundedNumber): void {
    if (!this.#numbers) return this.#put(value);
    if (this.#numbers.add(value)) this.#expected = 'separator';
    else this.#put(value);
  }

  #literal(bytes: Buffer, at: number): number {
    for (const [text, value] of LITERALS) {
      const end = at + text.length;
      if (end <= bytes.length && bytes.compare(text, 0, text.length, at, end) === 0) {
        if (typeof value === 'number') this.#putNumber(value);
        else this.#put(value);
        return end;
      }
      const isCut = !this.#isFinal && end > bytes.length;
      if (isCut && bytes.compare(text, 0, bytes.length - at, at, bytes.length) === 0) return at;
    }
    throw this.#error('Invalid value.', at);
  }

  #key(bytes: Buffer, at: number, byte: number): number {
    if (byte !== QUOTE) throw this.#error('Missing a name for object member.', at);
    return this.#string(bytes, at, (text) => {
      const frame = this.#frames.at(-1);
      if (frame?.kind === 'object') frame.key = text;
      this.#expected = 'colon';
    });
  }

  /** Reads a string; only its closing quote is searched again when it continues in the next chunk. */
  #string(bytes: Buffer, at: number, onText: (text: string) => void): number {
    let end = bytes.indexOf(QUOTE, at + 1 + this.#searched);
    while (end !== -1 && isEscaped(bytes, at + 1, end)) end = bytes.indexOf(QUOTE, end + 1);
    if (end === -1) {
      this.#searched = bytes.length - at - 1;
      if (this.#isFinal) throw this.#error('Missing a closing quotation mark in string.', at);
      return at;
    }
    this.#searched = 0;
    onText(this.#text(bytes.subarray(at, end + 1), at));
    return end + 1;
  }

  #text(quoted: Buffer, at: number): string {
    if (!isUtf8(quoted)) throw this.#error('Invalid encoding in string.', at);
    try {
      return JSON.parse(quoted.toString('utf8')) as string;
    } catch {
      throw this.#error('Invalid escape character in string.', at);
    }
  }

  #put(value: unknown): void {
    if (this.#numbers) this.#abandonNumbers(this.#numbers);
    const frame = this.#frames.at(-1);
    this.#expected = frame ? 'separator' : 'end';
    if (!frame) this.#result = value;
    else if (frame.kind === 'array') frame.array.push(value);
    else if (frame.key === '__proto__')
      Object.defineProperty(frame.object, frame.key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else frame.object[frame.key] = value;
  }

  #missing(): string {
    if (this.#expected !== 'separator') return 'Invalid value.';
    const isObject = !this.#numbers && this.#frames.at(-1)?.kind === 'object';
    return isObject
      ? 'Missing a comma or } after an object member.'
      : 'Missing a comma or ] after an array element.';
  }

  #tooDeep(at: number): JsonError {
    return this.#error(`Nested deeper than ${MAX_DEPTH} levels.`, at);
  }

  #error(reason: string, at: number): JsonError {
    return new JsonError(reason, this.#offset + at);
  }
}

/** Returns true if an odd number of backslashes precedes the quote at `end`. */
function isEscaped(bytes: Buffer, begin: number, end: number): boolean {
  let at = end - 1;
  while (at >= begin && bytes[at] === BACKSLASH) at--;
  return (end - 1 - at) % 2 === 1;
}
