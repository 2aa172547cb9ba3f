import { isText, printable } from '../../../core/printable.js';
import { singleObject } from '../../../schemas/framing/index.js';
import type { InferenceRequest } from '../../../schemas/generated.js';
import { fromTensor } from '../../../producers/tensors.js';

const MAX_TEXT_CHARACTERS = 16_384;
const MAX_HEX_BYTES = 512;
const MAX_ELEMENTS = 16;
const BYTES_PER_LINE = 16;
/** Larger values are neither parsed nor pretty-printed. */
const MAX_PARSED_BYTES = 1024 * 1024;

/** Formats a value as lines: JSON pretty-printed, Avro requests decoded, other text verbatim, other bytes as a hex dump. */
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
    // An undecodable request is a common reason for a dead letter; its bytes are shown.
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

/** Shows the first elements, or the error: inconsistent tensors are a common reason for a dead letter. */
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

/** Formats bytes as hexadecimal digits. */
function readable(element: unknown): unknown {
  return Buffer.isBuffer(element) ? `0x${element.toString('hex')}` : element;
}

/** Pretty-prints JSON, with lists of scalars on one line, since tensors have hundreds. */
function pretty(value: unknown): string[] {
  const plain = (_: string, entry: unknown): unknown => (typeof entry === 'bigint' ? String(entry) : entry);
  const text = JSON.stringify(value, plain, 2);
  return cut(
    text.replace(/\[\n([^[\]{}]*)\n *\]/g, (_, list: string) => `[${list.trim().replace(/\n */g, ' ')}]`),
  );
}

function cut(whole: string): string[] {
  // Escapes in JSON or Avro may decode to terminal control characters.
  const text = printable(whole);
  if (text.length <= MAX_TEXT_CHARACTERS) return [text];
  const more = text.length - MAX_TEXT_CHARACTERS;
  return [text.slice(0, MAX_TEXT_CHARACTERS), `… ${more} more characters; --raw writes the whole value`];
}

function hexDump(bytes: Buffer): string[] {
  const shown = bytes.subarray(0, MAX_HEX_BYTES);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += BYTES_PER_LINE)
    lines.push(hexLine(at, shown.subarray(at, at + BYTES_PER_LINE)));
  const more = bytes.length - shown.length;
  return more > 0 ? [...lines, `… ${more} more bytes; --raw writes the whole value`] : lines;
}

function hexLine(at: number, bytes: Buffer): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = bytes.toString('latin1').replace(/[^ -~]/g, '.');
  return `${at.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3)} ${text}`;
}
