import { PartituraError } from '../../schemas/errors.js';
import { JsonError } from './json-error.js';
import { readJson } from './read-json.js';

/** Reads a JSON body. @throws PartituraError DECODE_FAILED with the offset of the error */
export async function readBody(bytes: Buffer): Promise<unknown> {
  try {
    return await readJson(bytes);
  } catch (error) {
    if (error instanceof JsonError)
      throw new PartituraError('DECODE_FAILED', `JSON Parse error: ${error.message}`, { cause: error });
    throw error;
  }
}
