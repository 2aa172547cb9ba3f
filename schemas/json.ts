import { isUtf8 } from 'node:buffer';
import { isInteger, parse as parseLossless } from 'lossless-json';
import { PartituraError } from './errors.js';

/**
 * @param exact whether whole numbers beyond 2^53 come as bigint, which takes longer; else they lose digits
 * @throws SyntaxError
 */
export function parseJson(text: string, exact: boolean): unknown {
  return exact ? parseLossless(text, undefined, parseNumber) : JSON.parse(text);
}

function parseNumber(digits: string): number | bigint {
  const value = Number(digits);
  return isInteger(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
}

/** @throws PartituraError DECODE_FAILED when the bytes are no text */
export function utf8Text(bytes: Buffer, what: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new PartituraError('DECODE_FAILED', `${what}: expected UTF-8, got other bytes`);
}
