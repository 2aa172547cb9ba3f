import { isUtf8 } from 'node:buffer';
import { PartituraError } from '../../../../schemas/errors.js';
import { elementsOf, joinBytes } from '../elements.js';

/**
 * BYTES elements as ONNX Runtime takes them from JavaScript: text that ends at the first zero byte.
 * @throws PartituraError INVALID_REQUEST for an element that would arrive changed, or another number of elements
 *   than the shape says
 */
export function textsOf(name: string, buffer: ArrayBuffer, shape: readonly number[]): string[] {
  return elementsOf(buffer, shape).map((element, index) => {
    if (isUtf8(element) && !element.includes(0))
      return Buffer.from(element.buffer, element.byteOffset, element.length).toString('utf8');
    throw new PartituraError(
      'INVALID_REQUEST',
      `input '${name}', element ${index}: expected UTF-8 text without zero bytes, which is what strings of ONNX models are; send other bytes as UINT8`,
    );
  });
}

/** The inverse: texts as BYTES elements. */
export function joinTexts(texts: readonly string[]): ArrayBuffer {
  return joinBytes(texts.map((text) => Buffer.from(text)));
}
