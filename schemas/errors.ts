/**
 * Error codes that callers see, in replies and in dead letters. `docs/ERRORS.md` documents each; a test keeps both in
 * sync. `retryable` is true if the same request may succeed when it is retried unchanged.
 */
export const ERROR_CODES = {
  INVALID_REQUEST: { retryable: false },
  DECODE_FAILED: { retryable: false },
  MODEL_NOT_FOUND: { retryable: false },
  MODEL_NOT_READY: { retryable: true },
  SHAPE_MISMATCH: { retryable: false },
  DATATYPE_MISMATCH: { retryable: false },
  DEADLINE_EXCEEDED: { retryable: true },
  REQUEST_TOO_LARGE: { retryable: false },
  OVERLOADED: { retryable: true },
  REPLY_TOPIC_NOT_ALLOWED: { retryable: false },
  REPLY_TOO_LARGE: { retryable: false },
  MODEL_FAILED: { retryable: false },
  MODEL_CRASHED: { retryable: false },
  PART_FAILED: { retryable: false },
  JOB_CANCELLED: { retryable: false },
  INTERNAL: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Returns true if `code` is one of the listed codes. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** An error visible to callers: a listed code, and a sentence with the field, the expected and the actual value. */
export class PartituraError extends Error {
  override readonly name = 'PartituraError';
  readonly retryable: boolean;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions & { retryable?: boolean },
  ) {
    super(message, options);
    this.retryable = options?.retryable ?? ERROR_CODES[code].retryable;
  }

  /** Classifies any thrown value: a PartituraError is returned unchanged, everything else becomes `fallback`. */
  static from(cause: unknown, fallback: ErrorCode = 'INTERNAL'): PartituraError {
    if (cause instanceof PartituraError) return cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    return new PartituraError(fallback, message, { cause });
  }
}

/** Returns the error that a reply or a status states. A code that this version does not know becomes `fallback`. */
export function statedError(
  {
    code,
    message,
    retryable,
  }: { readonly code: string; readonly message: string; readonly retryable?: boolean },
  fallback: ErrorCode = 'INTERNAL',
): PartituraError {
  const known = isErrorCode(code) ? code : fallback;
  return new PartituraError(known, message, retryable === undefined ? {} : { retryable });
}

/** Returns the error of a request that is wrong in itself. @param message names the field, what was expected and what came */
export function invalidRequest(message: string): PartituraError {
  return new PartituraError('INVALID_REQUEST', message);
}
