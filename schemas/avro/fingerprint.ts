/**
 * CRC-64-AVRO of a schema in Parsing Canonical Form, as eight little-endian bytes.
 * https://avro.apache.org/docs/1.12.0/specification/#schema-fingerprints
 */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (EMPTY & -(value & 1n) & 0xffffffffffffffffn);
  return value;
});

/** @returns the fingerprint of `canonicalForm`, 8 bytes, little-endian */
export function fingerprint(canonicalForm: string): Buffer {
  let value = EMPTY;
  for (const byte of Buffer.from(canonicalForm)) {
    value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] ?? 0n);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
