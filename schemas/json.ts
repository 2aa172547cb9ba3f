import { isUtf8 } from 'node:buffer';
import { parse as parseLossless } from 'lossless-json';
import { PartituraError } from './errors.js';
import { exactNumber } from './exact-number.js';

const BYTE_ORDER_MARK = '\ufeff';
const ZERO = '\0';

/**
 * Parses JSON; the last value of a repeated name counts. Numbers out of a double's range become infinite, which no
 * JSON number is.
 * @param exact true to read numbers as `exactNumber` does, which is slower; otherwise integers beyond 2^53 lose digits
 * @throws PartituraError DECODE_FAILED whose message begins with `what`
 */
export function parseJson(text: string, exact: boolean, what: string): unknown {
  try {
    return exact
      ? parseLossless(text, undefined, {
          parseNumber: exactNumber,
          onDuplicateKey: ({ newValue }) => newValue,
        })
      : JSON.parse(text);
  } catch (cause) {
    throw new PartituraError('DECODE_FAILED', `${what}: expected JSON, got ${problemOf(text, cause)}`, {
      cause,
    });
  }
}

function problemOf(text: string, cause: unknown): string {
  if (cause instanceof RangeError) return 'arrays or objects nested too deeply';
  if (text.trim() === '') return text === '' ? 'nothing' : 'blank text';
  if (text.includes(ZERO)) return 'text with zero bytes, as in UTF-16';
  return `other text: ${(cause as Error).message}`;
}

/**
 * Decodes UTF-8 without a byte order mark, which many programs write although JSON has none.
 * @throws PartituraError DECODE_FAILED if the bytes are not UTF-8
 */
export function utf8Text(bytes: Buffer, what: string): string {
  if (!isUtf8(bytes)) throw new PartituraError('DECODE_FAILED', `${what}: expected UTF-8, got other bytes`);
  const text = bytes.toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
}
