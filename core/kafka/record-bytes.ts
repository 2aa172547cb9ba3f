import type { OutgoingRecord } from './port.js';

/** What a record takes in memory and on the wire, but for a few bytes of frame: headers are a sender's to fill, too. */
export function recordBytes({
  key,
  value,
  headers,
}: Pick<OutgoingRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    const header = headers[name];
    if (!Array.isArray(header)) bytes += name.length + (header?.length ?? 0);
    else for (const entry of header) bytes += name.length + entry.length;
  }
  return bytes;
}
