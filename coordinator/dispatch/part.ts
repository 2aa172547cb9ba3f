import type { Tensor } from '../../schemas/generated.js';

/** Work for one node: a request to a model or a task. */
export interface Part {
  readonly model: string;
  readonly inputs: readonly Tensor[];
}

/** Parts that nodes could not compute, with the error of the first. */
export class PartsFailedError extends Error {
  override readonly name = 'PartsFailedError';

  constructor(
    /** Indexes of the parts, ascending. */
    readonly parts: readonly number[],
    override readonly cause: Error,
  ) {
    super(`part${parts.length === 1 ? '' : 's'} ${parts.join(', ')} failed: ${cause.message}`, { cause });
  }
}
