import { isUtf8 } from 'node:buffer';
import { invalidRequest } from '../../../../schemas/errors.js';
import { elementsOf, joinBytes } from '../elements.js';

/**
 * Decodes BYTES elements into strings for ONNX Runtime, which truncates them at the first zero byte.
 * @throws PartituraError INVALID_REQUEST if an element would be altered, or the number of elements does not match the shape
 */
export function textsOf(name: string, buffer: ArrayBuffer, shape: readonly number[]): string[] {
  return elementsOf(buffer, shape).map((element, index) => {
    if (isUtf8(element) && !element.includes(0))
      return Buffer.from(element.buffer, element.byteOffset, element.length).toString('utf8');
    throw invalidRequest(
      `input '${name}', element ${index}: expected UTF-8 text without zero bytes, as ONNX strings require; send other bytes as UINT8`,
    );
  });
}

/** Encodes strings as BYTES elements; the inverse of `textsOf`. */
export function joinTexts(texts: readonly string[]): ArrayBuffer {
  return joinBytes(texts.map((text) => Buffer.from(text)));
}
