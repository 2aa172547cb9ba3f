import { setImmediate } from 'node:timers/promises';
import { JsonScanner } from './json-scanner.js';

/** Bytes scanned without a break: two to three milliseconds. */
const CHUNK_BYTES = 64 * 1024;
/** Up to this size `JSON.parse` is faster than the scanner, although it makes an object of each number. */
const SMALL_BYTES = 16 * 1024;
/** An integer that a double may not hold. */
const LONG_INTEGER = /[^.\d]\d{16}/;
/** A number that may be out of a double's range: `JSON.parse` makes it infinite, the scanner refuses it. */
const HUGE_NUMBER = /[eE]\+?\d{3}|\d{300}/;

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
  if (!LONG_INTEGER.test(text) && !HUGE_NUMBER.test(text) && !text.includes('\ufffd')) {
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
