import { describe } from '../../../schemas/describe.js';
import { invalidRequest } from '../../../schemas/errors.js';

/**
 * Length of the JSON part of a body; the rest are the tensors that declare `binary_data_size`, in their order.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export const BINARY_HEADER = 'inference-header-content-length';

/**
 * Splits a body into its JSON part and its binary tail.
 * @throws PartituraError INVALID_REQUEST if the header is not a length within the body
 */
export function splitBody(
  body: Buffer,
  header: string | readonly string[] | undefined,
): { readonly json: Buffer; readonly tail: Buffer | undefined } {
  if (header === undefined) return { json: body, tail: undefined };
  const length = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : NaN;
  if (length <= body.length) return { json: body.subarray(0, length), tail: body.subarray(length) };
  throw invalidRequest(
    `header 'Inference-Header-Content-Length': expected a length from 0 to ${body.length}, got '${String(header)}'`,
  );
}

/** Hands out the binary tail of a body, tensor by tensor. */
export class BinaryTail {
  #position = 0;

  constructor(readonly bytes: Buffer | undefined) {}

  /** Takes the next `size` bytes. @throws PartituraError INVALID_REQUEST if there are not so many */
  take(size: unknown, field: string): Buffer {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw invalidRequest(`${field}: expected binary_data_size as a whole number, got ${describe(size)}`);
    if (this.bytes === undefined)
      throw invalidRequest(
        `${field}: expected header 'Inference-Header-Content-Length' with binary_data_size, got none`,
      );
    const left = this.bytes.length - this.#position;
    if (size > left)
      throw invalidRequest(`${field}: expected ${size} bytes after the JSON part, got ${left}`);
    const start = this.#position;
    this.#position += size;
    return this.bytes.subarray(start, this.#position);
  }

  /** @throws PartituraError INVALID_REQUEST if bytes are left */
  finish(): void {
    const left = (this.bytes?.length ?? 0) - this.#position;
    if (left > 0) throw invalidRequest(`body: expected no bytes after the last binary tensor, got ${left}`);
  }
}
