import { SaxesParser, type SaxesTagNS } from 'saxes';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate } from 'node:timers/promises';
import { PartituraError } from '../../schemas/errors.js';
import { GrowingBuffer } from '../http/growing-buffer.js';
import { numberOf, NumbersText, type Fail } from './numbers-text.js';

/** Namespace of `partitura.xsd`. */
export const NAMESPACE = 'urn:partitura:xml:1';

const MAX_DEPTH = 64;
/** Bytes parsed or joined without a break: a few milliseconds. */
const CHUNK_BYTES = 64 * 1024;
const MAX_EMPTY_LISTS = 1;
/** JSON text in pieces; long lists of numbers are converted when it is joined. */
type Json = string | NumbersText | readonly Json[];

/** An open element. */
interface Frame {
  readonly kind: string;
  readonly name: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its members or elements, with commas. */
  readonly parts: Json[];
  text: string;
}

/**
 * Converts a body of `partitura.xsd` to the JSON text that it stands for, without delaying other requests. Entities are
 * never expanded: every DOCTYPE is refused.
 * @throws PartituraError DECODE_FAILED that names the line
 */
export async function xmlToJson(xml: Buffer): Promise<Buffer> {
  const document = new XmlDocument();
  const decoder = new StringDecoder('utf8');
  for (let begin = 0; begin < xml.length; begin += CHUNK_BYTES) {
    if (begin > 0) await setImmediate();
    document.write(decoder.write(xml.subarray(begin, begin + CHUNK_BYTES)));
  }
  document.write(decoder.end());
  return joined(document.close());
}

/** A document that arrives in chunks. */
class XmlDocument {
  readonly #parser = new SaxesParser({ xmlns: true, position: true });
  readonly #frames: Frame[] = [];
  #result: Json | undefined;

  constructor() {
    const parser = this.#parser;
    const addText = (text: string): void => {
      const frame = this.#frames.at(-1);
      if (frame) frame.text += text;
    };
    parser.on('error', (error) => this.#fail(error.message.replace(/^\d+:\d+: /, '')));
    parser.on('doctype', () => this.#fail('expected no DOCTYPE, got one'));
    parser.on('opentag', (tag) => {
      if (this.#frames.length >= MAX_DEPTH)
        this.#fail(`expected at most ${MAX_DEPTH} nested elements, got more`);
      this.#frames.push(frameOf(tag, this.#fail));
    });
    parser.on('text', addText);
    parser.on('cdata', addText);
    parser.on('closetag', () => this.#closeElement());
  }

  write(chunk: string): void {
    this.#parser.write(chunk);
  }

  close(): Json {
    this.#parser.close();
    return this.#result ?? this.#fail('expected an element, got none');
  }

  readonly #fail: Fail = (problem) => failAt(this.#parser.line)(problem);

  #closeElement(): void {
    const frame = this.#frames.pop();
    if (!frame) return;
    const json = jsonOf(frame, this.#fail, failAt(this.#parser.line));
    const outer = this.#frames.at(-1);
    if (!outer) this.#result = json;
    else {
      if (outer.parts.length > 0) outer.parts.push(',');
      outer.parts.push(outer.kind === 'object' ? memberOf(frame, json, this.#fail) : json);
    }
  }
}

function failAt(line: number): Fail {
  return (problem) => {
    throw new PartituraError('DECODE_FAILED', `XML, line ${line}: ${problem}`);
  };
}

/** Joins pieces in order, with breaks. */
async function joined(json: Json): Promise<Buffer> {
  const bytes = new GrowingBuffer();
  let text = '';
  for (const piece of piecesOf(json)) {
    text += piece;
    if (text.length < CHUNK_BYTES) continue;
    bytes.push(Buffer.from(text));
    text = '';
    await setImmediate();
  }
  bytes.push(Buffer.from(text));
  return bytes.take();
}

function* piecesOf(json: Json): Generator<string> {
  if (typeof json === 'string') yield json;
  else if (json instanceof NumbersText) yield* json.jsonTexts();
  else for (const part of json) yield* piecesOf(part);
}

function frameOf({ local, uri, attributes }: SaxesTagNS, fail: Fail): Frame {
  if (uri !== NAMESPACE) fail(`expected elements of namespace ${NAMESPACE}, got <${local}> of '${uri}'`);
  const values = Object.fromEntries(Object.values(attributes).map((one) => [one.local, one.value]));
  return { kind: local, name: values['name'], attributes: values, parts: [], text: '' };
}

function memberOf({ kind, name }: Frame, json: Json, fail: Fail): Json {
  if (name === undefined) return fail(`<${kind}> in an object: expected a name, got none`);
  return [`${JSON.stringify(name)}:`, json];
}

/** @param failLater reports problems of numbers, which are converted later */
function jsonOf(frame: Frame, fail: Fail, failLater: Fail): Json {
  const { kind, parts, text, attributes } = frame;
  const isContainer = kind === 'object' || kind === 'array';
  if (isContainer && text.trim() !== '') fail(`<${kind}>: expected elements only, got text`);
  if (!isContainer && parts.length > 0) fail(`<${kind}>: expected text only, got an element`);
  switch (kind) {
    case 'object':
      return ['{', parts, '}'];
    case 'array':
      return ['[', parts, ']'];
    case 'numbers':
      return new NumbersText(text, shapeOf(attributes['shape'], fail), failLater);
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

function stringOf(text: string, encoding: string | undefined): string {
  return JSON.stringify(encoding === 'base64' ? Buffer.from(text, 'base64').toString('utf8') : text);
}

function booleanOf(text: string, fail: Fail): string {
  if (text === 'true' || text === '1') return 'true';
  return text === 'false' || text === '0'
    ? 'false'
    : fail(`expected true or false, got '${text.slice(0, 40)}'`);
}

function shapeOf(text: string | undefined, fail: Fail): readonly number[] | undefined {
  return text === undefined ? undefined : sizesOf(text, fail);
}

function sizesOf(text: string, fail: Fail): number[] {
  const sizes = text.trim().split(/\s+/).map(Number);
  const isShape = sizes.length <= MAX_DEPTH && sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
  // Beside a size of 0, others would make any number of empty lists.
  if (isShape && sizes.includes(0) && sizes.some((size) => size > MAX_EMPTY_LISTS))
    fail(`shape: expected sizes up to ${MAX_EMPTY_LISTS} beside 0, got '${text.slice(0, 40)}'`);
  return isShape ? sizes : fail(`shape: expected whole numbers, got '${text.slice(0, 40)}'`);
}
