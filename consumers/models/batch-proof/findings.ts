import type { Standing } from './verdict.js';

/** A request alone was refused, perhaps because of its values. */
export class Refusal extends Error {}

/** The model could not be tried. */
export class Untried extends Error {
  constructor(
    message: string,
    readonly standing: Standing,
  ) {
    super(message);
  }
}

/** The values crashed the child process. */
export class Crash extends Untried {}

/** Rows depend on each other. */
export class Difference extends Error {}
