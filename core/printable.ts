import { isUtf8 } from 'node:buffer';

// Control characters in what strangers wrote would be commands to a terminal.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** Those that JSON's own writing leaves as they are. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
// eslint-disable-next-line no-control-regex
const UNPRINTABLE_BUT_LINES = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;

/** Text of several lines that is safe to print. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll('\t', '  ').replace(UNPRINTABLE, '·'))
    .join('\n');
}

/** One line of text that is safe to print, cut where it is longer. */
export function oneLine(text: string, maxCharacters = Infinity): string {
  const line = text.replace(UNPRINTABLE, '·');
  return line.length <= maxCharacters ? line : `${line.slice(0, maxCharacters - 1)}…`;
}

/** JSON that means the same and is safe to print: what a terminal would obey, or show in another order, is escaped. */
export function printableJson(json: string): string {
  return json.replace(
    UNPRINTABLE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether bytes are text to be read by people: UTF-8, with no control characters but line ends and tabs. */
export function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !UNPRINTABLE_BUT_LINES.test(bytes.toString('utf8'));
}

/** Text, or `0x` and hexadecimal digits; cut where there is more than `maxBytes`. */
export function textOrHex(bytes: Buffer, maxBytes: number): string {
  const end = bytes.length > maxBytes ? '…' : '';
  const kept = bytes.subarray(0, maxBytes);
  // What was cut in the midst of a character is text still.
  return isText(bytes.length > maxBytes ? wholeCharacters(kept) : kept)
    ? `${wholeCharacters(kept).toString('utf8')}${end}`
    : `0x${kept.toString('hex')}${end}`;
}

/** Without the beginning of a character at the end. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let dropped = 0; dropped < 4 && dropped < bytes.length; dropped++) {
    const shorter = bytes.subarray(0, bytes.length - dropped);
    if (isUtf8(shorter)) return shorter;
  }
  return bytes;
}
