import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { addHeader, type Header, type HeaderList } from '../../schemas/headers/header-list.js';
import type { ByteReader } from './byte-reader.js';
import { readName } from './header-names.js';

const NOTHING = Buffer.alloc(0);

/** Reads headers by name, null as an empty value; inexact if that loses nulls or the order. */
export function readHeaders(reader: ByteReader, count: number): { headers: RecordHeaders; isExact: boolean } {
  const headers: RecordHeaders = {};
  let isExact = true;
  for (let left = count; left > 0; left--) {
    const name = readHeaderName(reader);
    const value = reader.bytesOrNull();
    if (value === null || headers[name] !== undefined || isDigit(name.charCodeAt(0))) isExact = false;
    addHeader(headers, name, value ?? NOTHING);
  }
  return { headers, isExact };
}

/** Reads the same headers in order. */
export function readHeaderList(reader: ByteReader, start: number, count: number): HeaderList {
  const { position } = reader;
  reader.position = start;
  const list = Array.from({ length: count }, (): Header => [readHeaderName(reader), reader.bytesOrNull()]);
  reader.position = position;
  return list;
}

function readHeaderName(reader: ByteReader): string {
  const length = reader.varint();
  const { position } = reader;
  if (length < 0 || position + length > reader.bytes.length) throw new Error('truncated header');
  const name = readName(reader.bytes, position, length);
  reader.skip(length);
  return name;
}

/** Returns true for a digit: objects order integer keys before all others. */
function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
