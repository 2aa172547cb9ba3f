import { RoundedNumber } from './exact-number.js';

const MAX_CHARACTERS = 100;

/** Formats a value for error messages: text in quotes, so that '1' is not mistaken for 1, and truncated. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return quoted(value);
  if (value instanceof RoundedNumber) return truncated(value.text);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `${value}`;
  if (value instanceof Uint8Array) return 'bytes';
  return Array.isArray(value) ? 'an array' : 'an object';
}

function quoted(text: string): string {
  return `'${truncated(text)}'`;
}

function truncated(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}
