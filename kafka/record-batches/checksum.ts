import { crc32c, Writer } from '../platformatic/index.js';

/** Computes the CRC-32C of a batch. The library copies a plain buffer first, but not one of its own type. */
export function checksum(bytes: Buffer): number {
  return crc32c(Writer.create().append(bytes).dynamicBuffer);
}
