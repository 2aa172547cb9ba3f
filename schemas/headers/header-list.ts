import type { RecordHeaders } from '../framing/framing.js';

/** A header as it stands in a record; Kafka lets its value be null. */
export type Header = readonly [name: string, value: Buffer | null];

/** All headers of a record, in order: names may repeat, with others between. */
export type HeaderList = readonly Header[];

/**
 * Headers by name, which is what almost everything asks for, and in order where names alone do not tell it: where a name
 * repeats, a value is null, or a name is one that JavaScript would put first. Records without any of these, nearly all, cost
 * nothing more.
 */
export interface Headers {
  readonly headers: RecordHeaders;
  /** Counts in the place of `headers` wherever a record is passed on. */
  readonly headerList?: HeaderList | undefined;
}

/** The same with the order of all. */
export interface ListedHeaders extends Headers {
  readonly headerList: HeaderList;
}

/** The headers of a record in order. */
export function headersInOrder({ headers, headerList }: Headers): HeaderList {
  return headerList ?? listOf(headers);
}

export function listOf(headers: RecordHeaders): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one): Header => [name, one]),
  );
}

/** The inverse of `headersInOrder`. */
export function fromList(headerList: HeaderList): ListedHeaders {
  const headers: RecordHeaders = {};
  for (const [name, value] of headerList) addHeader(headers, name, value ?? NOTHING);
  return { headers, headerList };
}

/**
 * Headers that were changed by name, with all that was not changed in its place.
 * @param headers of the same record, changed; a name that is undefined is left out
 */
export function changedHeaders(from: Headers, headers: RecordHeaders): Headers {
  if (!from.headerList) return { headers };
  const changed = Object.keys(headers).filter((name) => headers[name] !== from.headers[name]);
  const kept = from.headerList.filter(([name]) => !changed.includes(name));
  const added = listOf(Object.fromEntries(changed.map((name) => [name, headers[name]])));
  return { headers, headerList: [...kept, ...added] };
}

const NOTHING = Buffer.alloc(0);

/** Adds one header's value under its name; a name that occurs several times has a list. */
export function addHeader<V>(byName: Record<string, V | V[] | undefined>, name: string, value: V): void {
  // Most names are new and no object has them by nature: this is the hot path.
  if (byName[name] === undefined) byName[name] = value;
  else addRepeated(byName, name, value);
}

function addRepeated<V>(byName: Record<string, V | V[] | undefined>, name: string, value: V): void {
  const known = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (known === undefined) define(byName, name, value);
  else if (Array.isArray(known)) known.push(value);
  else define(byName, name, [known, value]);
}

/** Plain assignment would take a header named `__proto__` for the prototype. */
function define(byName: object, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(byName, name, { value, enumerable: true, writable: true, configurable: true });
  else (byName as Record<string, unknown>)[name] = value;
}
