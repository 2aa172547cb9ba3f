import { PartituraError } from '../../schemas/errors.js';

/** Parses the body of a change, which arrives as bytes. @throws PartituraError INVALID_REQUEST */
export function readJson(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch (cause) {
    throw new PartituraError('INVALID_REQUEST', `body: expected JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}
