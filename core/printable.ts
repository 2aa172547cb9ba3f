import { isUtf8 } from 'node:buffer';

// Control characters in sender-supplied text would be executed by a terminal.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** The unprintable characters that JSON does not escape. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
// eslint-disable-next-line no-control-regex
const UNPRINTABLE_BUT_LINES = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;

/** Makes text of several lines safe to print. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll('\t', '  ').replace(UNPRINTABLE, '·'))
    .join('\n');
}

/** Makes text one line that is safe to print, truncated to `maxCharacters`. */
export function oneLine(text: string, maxCharacters = Infinity): string {
  const line = text.replace(UNPRINTABLE, '·');
  return line.length <= maxCharacters ? line : `${line.slice(0, maxCharacters - 1)}…`;
}

/** Makes JSON safe to print, with the same meaning: escapes characters that control a terminal or reorder text. */
export function printableJson(json: string): string {
  return json.replace(
    UNPRINTABLE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Returns true for human-readable bytes: UTF-8 without control characters other than line ends and tabs. */
export function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !UNPRINTABLE_BUT_LINES.test(bytes.toString('utf8'));
}

/** Formats bytes as text, or as `0x` and hexadecimal digits; truncated beyond `maxBytes`. */
export function textOrHex(bytes: Buffer, maxBytes: number): string {
  const end = bytes.length > maxBytes ? '…' : '';
  const kept = bytes.subarray(0, maxBytes);
  // Text cut within a character is still text.
  return isText(bytes.length > maxBytes ? wholeCharacters(kept) : kept)
    ? `${wholeCharacters(kept).toString('utf8')}${end}`
    : `0x${kept.toString('hex')}${end}`;
}

/** Drops an incomplete character at the end. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let dropped = 0; dropped < 4 && dropped < bytes.length; dropped++) {
    const shorter = bytes.subarray(0, bytes.length - dropped);
    if (isUtf8(shorter)) return shorter;
  }
  return bytes;
}
