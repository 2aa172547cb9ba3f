import { crc32c, Writer } from '@platformatic/kafka';

/** CRC-32C of a batch. The library copies a plain buffer before it computes, but not one of its own kind. */
export function checksum(bytes: Buffer): number {
  return crc32c(Writer.create().append(bytes).dynamicBuffer);
}
