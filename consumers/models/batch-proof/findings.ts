import type { Finality } from './verdict.js';

/** A request alone was rejected, perhaps because of its values. */
export class Rejection extends Error {}

/** The model could not be verified. */
export class Unverified extends Error {
  constructor(
    message: string,
    readonly finality: Finality,
  ) {
    super(message);
  }
}

/** The values crashed the child process. */
export class Crash extends Unverified {}

/** Rows depend on each other. */
export class Difference extends Error {}
