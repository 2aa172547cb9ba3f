import type { RecordHeaders } from '../framing/framing.js';

/** A header of a record; Kafka allows its value to be null. */
export type Header = readonly [name: string, value: Buffer | null];

/** All headers of a record, in order: names may repeat and be interleaved. */
export type HeaderList = readonly Header[];

/**
 * Headers by name, which most callers need, and as an ordered list if names alone lose information: a repeated name,
 * a null value, or a name that JavaScript would order first. Most records need no list and cost nothing more.
 */
export interface Headers {
  readonly headers: RecordHeaders;
  /** If present, takes precedence over `headers` wherever a record is forwarded. */
  readonly headerList?: HeaderList | undefined;
}

/** Headers with the order of all of them. */
export interface ListedHeaders extends Headers {
  readonly headerList: HeaderList;
}

/** Returns a record's headers in order. */
export function headersInOrder({ headers, headerList }: Headers): HeaderList {
  return headerList ?? listOf(headers);
}

export function listOf(headers: RecordHeaders): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one): Header => [name, one]),
  );
}

/** Inverse of `headersInOrder`. */
export function fromList(headerList: HeaderList): ListedHeaders {
  const headers: RecordHeaders = {};
  for (const [name, value] of headerList) addHeader(headers, name, value ?? NOTHING);
  return { headers, headerList };
}

/**
 * Applies changes made by name; unchanged headers keep their place.
 * @param headers the same record's headers after the change; a name that is undefined is removed
 */
export function changedHeaders(from: Headers, headers: RecordHeaders): Headers {
  if (!from.headerList) return { headers };
  const changed = Object.keys(headers).filter((name) => headers[name] !== from.headers[name]);
  const kept = from.headerList.filter(([name]) => !changed.includes(name));
  const added = listOf(Object.fromEntries(changed.map((name) => [name, headers[name]])));
  return { headers, headerList: [...kept, ...added] };
}

const NOTHING = Buffer.alloc(0);

/** Adds a header value under its name; a repeated name has an array. */
export function addHeader<V>(byName: Record<string, V | V[] | undefined>, name: string, value: V): void {
  // Hot path: most names are new and are not properties of every object.
  if (byName[name] === undefined) byName[name] = value;
  else addRepeated(byName, name, value);
}

function addRepeated<V>(byName: Record<string, V | V[] | undefined>, name: string, value: V): void {
  const known = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (known === undefined) define(byName, name, value);
  else if (Array.isArray(known)) known.push(value);
  else define(byName, name, [known, value]);
}

/** Defines a property, since assigning a header named `__proto__` would set the prototype. */
function define(byName: object, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(byName, name, { value, enumerable: true, writable: true, configurable: true });
  else (byName as Record<string, unknown>)[name] = value;
}
