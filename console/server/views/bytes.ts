import { isText } from '../../../core/printable.js';
import type { BytesView } from '../../api/views.js';

/** Bytes of a value that a page shows; the rest is counted. */
const MAX_BYTES = 16 * 1024;

export function bytesView(bytes: Buffer | null): BytesView | null {
  if (bytes === null) return null;
  const shown = bytes.subarray(0, MAX_BYTES);
  return {
    bytes: bytes.length,
    text: isText(shown) ? shown.toString('utf8') : null,
    hex: shown.toString('hex'),
    cut: shown.length < bytes.length,
  };
}
