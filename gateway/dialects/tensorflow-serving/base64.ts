import { invalidRequest } from '../../../schemas/errors.js';

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/** Returns true for `{"b64": "…"}`, which stands for bytes. */
export function isBase64Object(value: unknown): value is { readonly b64: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'b64' in value &&
    typeof value.b64 === 'string' &&
    Object.keys(value).length === 1
  );
}

/** Decodes `{"b64": "…"}`. @throws PartituraError INVALID_REQUEST */
export function base64Bytes({ b64 }: { readonly b64: string }): Buffer {
  if (BASE64.test(b64)) return Buffer.from(b64, 'base64');
  throw invalidRequest('Unable to base64 decode');
}
