import type { OutgoingRecord } from '../port.js';
import { HEADER_OVERHEAD_BYTES, RECORD_OVERHEAD_BYTES } from '../record-batches/read-limits.js';

/**
 * Returns a record's size in memory and on the wire, without framing. Headers count: their size is up to the sender.
 */
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
 * Returns the memory that a record occupies while held: its value counts twice, because of the decoded form and the
 * rows in a batch. Many small records, and many headers, cost more than their bytes.
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
