const MAX_CHARACTERS = 100;

/** A value as error messages quote it: text in quotes, so that '1' is not taken for 1, and no more of it than helps. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

function quoted(text: string): string {
  return text.length > MAX_CHARACTERS ? `'${text.slice(0, MAX_CHARACTERS)}…'` : `'${text}'`;
}
