import { PartituraError } from '../../schemas/errors.js';
import { JsonError } from './json-error.js';
import type { ConvertNumber } from './json-scanner.js';
import { readConverted, readJson } from './read-json.js';

/**
 * Reads a JSON body.
 * @param convert makes the values of numbers
 * @throws PartituraError DECODE_FAILED with the offset of the error
 */
export async function readBody(bytes: Buffer, convert?: ConvertNumber): Promise<unknown> {
  try {
    return convert ? await readConverted(bytes, convert) : await readJson(bytes);
  } catch (error) {
    if (error instanceof JsonError)
      throw new PartituraError('DECODE_FAILED', `JSON Parse error: ${error.message}`, { cause: error });
    throw error;
  }
}
