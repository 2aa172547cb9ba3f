import { describe } from '../describe.js';
import { PartituraError } from '../errors.js';

/**
 * Bytes in JSON bodies, as in MLServer: a tensor with `"parameters": {"content_type": "base64"}` encodes each of its
 * BYTES elements in base64.
 * https://mlserver.readthedocs.io/en/stable/user-guide/content-type.html
 */
const CONTENT_TYPE = 'base64';
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Parameters of a tensor whose elements are in base64. */
export const BASE64_PARAMETERS = { content_type: CONTENT_TYPE } as const;

/** Returns true if a tensor's parameters declare base64. */
export function declaresBase64(parameters: unknown): boolean {
  return (parameters as { content_type?: unknown } | null | undefined)?.content_type === CONTENT_TYPE;
}

/**
 * Decodes the elements of an input that declares base64.
 * @param field names the input in errors
 * @throws PartituraError DATATYPE_MISMATCH if an element is not base64 or the input is not BYTES
 */
export function decodeBase64(datatype: string, elements: readonly unknown[], field: string): Buffer[] {
  if (datatype !== 'BYTES')
    throw new PartituraError(
      'DATATYPE_MISMATCH',
      `${field}: expected BYTES with content_type base64, got ${datatype}`,
    );
  return elements.map((element, index) => {
    if (typeof element === 'string' && BASE64.test(element) && lengthIsWhole(element))
      return Buffer.from(element, 'base64');
    throw new PartituraError(
      'DATATYPE_MISMATCH',
      `${field}, element ${index}: expected base64, got ${describe(element)}`,
    );
  });
}

/** Checks the length: four characters encode three bytes; the padding is optional. */
function lengthIsWhole(text: string): boolean {
  return text.endsWith('=') ? text.length % 4 === 0 : text.length % 4 !== 1;
}
