import { isText, printable } from '../../../core/printable.js';
import { singleObject } from '../../../schemas/framing/index.js';
import type { InferenceRequest } from '../../../schemas/generated.js';
import { fromTensor } from '../../../producers/tensors.js';

const MAX_TEXT_CHARACTERS = 16_384;
const MAX_HEX_BYTES = 512;
const MAX_ELEMENTS = 16;
const BYTES_OF_A_LINE = 16;
/** Larger ones are neither parsed nor laid out. */
const MAX_PARSED_BYTES = 1024 * 1024;

/** A value as lines for people: JSON laid out, an Avro request decoded, other text as it is, else the first bytes. */
export function describeValue(value: Buffer | null): string[] {
  if (value === null) return ['value (null)'];
  const request = asRequest(value);
  if (request) return [`value (${value.length} bytes, Avro InferenceRequest)`, ...pretty(toPlain(request))];
  if (!isText(value)) return [`value (${value.length} bytes)`, ...hexDump(value)];
  const parsed = value.length <= MAX_PARSED_BYTES ? parseJson(value) : undefined;
  if (parsed !== undefined) return [`value (${value.length} bytes, JSON)`, ...pretty(parsed)];
  return [`value (${value.length} bytes, text)`, ...cut(value.toString('utf8'))];
}

function asRequest(value: Buffer): InferenceRequest | undefined {
  if (value.length > MAX_PARSED_BYTES || !singleObject.detects(value)) return undefined;
  try {
    return singleObject.decodeRequest(value);
  } catch {
    // Most letters are here because of that; their bytes are shown then.
    return undefined;
  }
}

function parseJson(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}

function toPlain({ inputs, ...request }: InferenceRequest): object {
  return { ...request, inputs: inputs.map(describeTensor) };
}

/** The first elements, or why there are none: a letter may well be one because its tensors contradict themselves. */
function describeTensor(tensor: InferenceRequest['inputs'][number]): object {
  const { name, datatype, shape, data } = tensor;
  try {
    const elements = Array.from<unknown>(fromTensor(tensor).data).map(readable);
    const more = elements.length > MAX_ELEMENTS ? [`… ${elements.length - MAX_ELEMENTS} more`] : [];
    return { name, datatype, shape, data: [...elements.slice(0, MAX_ELEMENTS), ...more] };
  } catch (error) {
    return { name, datatype, shape, bytes: data.length, unreadable: (error as Error).message };
  }
}

/** Bytes that are not text, as hexadecimal digits. */
function readable(element: unknown): unknown {
  return Buffer.isBuffer(element) ? `0x${element.toString('hex')}` : element;
}

/** A list of numbers or text is one line: tensors have hundreds. */
function pretty(value: unknown): string[] {
  const plain = (_: string, entry: unknown): unknown => (typeof entry === 'bigint' ? String(entry) : entry);
  const text = JSON.stringify(value, plain, 2);
  return cut(
    text.replace(/\[\n([^[\]{}]*)\n *\]/g, (_, list: string) => `[${list.trim().replace(/\n */g, ' ')}]`),
  );
}

function cut(whole: string): string[] {
  // What JSON and Avro spell out may be commands to a terminal, though their bytes are none.
  const text = printable(whole);
  if (text.length <= MAX_TEXT_CHARACTERS) return [text];
  const more = text.length - MAX_TEXT_CHARACTERS;
  return [text.slice(0, MAX_TEXT_CHARACTERS), `… ${more} more characters; --raw writes the whole value`];
}

function hexDump(bytes: Buffer): string[] {
  const shown = bytes.subarray(0, MAX_HEX_BYTES);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += BYTES_OF_A_LINE)
    lines.push(hexLine(at, shown.subarray(at, at + BYTES_OF_A_LINE)));
  const more = bytes.length - shown.length;
  return more > 0 ? [...lines, `… ${more} more bytes; --raw writes the whole value`] : lines;
}

function hexLine(at: number, bytes: Buffer): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = bytes.toString('latin1').replace(/[^ -~]/g, '.');
  return `${at.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_OF_A_LINE * 3)} ${text}`;
}
