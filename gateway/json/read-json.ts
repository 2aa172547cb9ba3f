import { setImmediate } from 'node:timers/promises';
import { JsonScanner } from './json-scanner.js';

/** Bytes scanned without a break: two to three milliseconds. */
const CHUNK_BYTES = 64 * 1024;
/** Up to this size `JSON.parse` is faster than the scanner, although it makes an object of each number. */
const SMALL_BYTES = 16 * 1024;
/**
 * A number of which `JSON.parse` may lose digits that an integer type keeps: a long integer, one with an exponent, a
 * fraction after many digits or close to an integer. Or one that may be out of a double's range.
 */
const NEEDS_DIGITS = /[^.\d]\d{16}|\d{9}\.\d|\.(?:0{7}|9{7})|\d[eE]\+?\d|[eE]-\d{3}|\d{300}/;

/**
 * Reads a JSON text without delaying other requests: between chunks it returns to the event loop.
 * Nested arrays of numbers become a `NumberArray` (in small texts: plain arrays), integers beyond 2^53 bigints.
 * @throws JsonError
 */
export async function readJson(bytes: Buffer): Promise<unknown> {
  if (bytes.length <= SMALL_BYTES) return readSmall(bytes);
  const scanner = new JsonScanner();
  for (let begin = 0; begin < bytes.length; begin += CHUNK_BYTES) {
    if (begin > 0) await setImmediate();
    scanner.push(bytes.subarray(begin, begin + CHUNK_BYTES));
  }
  return scanner.end();
}

function readSmall(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  // The replacement character stands for bytes that are not UTF-8, which the scanner locates.
  if (!NEEDS_DIGITS.test(text) && !text.includes('\ufffd')) {
    try {
      return JSON.parse(text);
    } catch {
      // The scanner takes NaN and Infinity, and locates errors.
    }
  }
  const scanner = new JsonScanner();
  scanner.push(bytes);
  return scanner.end();
}
