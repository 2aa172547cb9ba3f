import type { OutgoingRecord } from '../port.js';
import { HEADER_OVERHEAD_BYTES, RECORD_OVERHEAD_BYTES } from '../record-batches/read-limits.js';

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

/**
 * The memory that a record takes while it is held: its value once more for what is decoded of it, and for its rows in a batch.
 * Many small records, and many headers, cost more than their bytes.
 */
export function heldBytes(record: Pick<OutgoingRecord, 'key' | 'value' | 'headers'>): number {
  let headers = 0;
  for (const name in record.headers) {
    const header = record.headers[name];
    headers += Array.isArray(header) ? header.length : 1;
  }
  const decoded = record.value?.length ?? 0;
  return recordBytes(record) + decoded + RECORD_OVERHEAD_BYTES + headers * HEADER_OVERHEAD_BYTES;
}
