/**
 * The closed list of error codes that callers see, in replies and in dead letters.
 * `docs/ERRORS.md` documents each; a test holds the two together.
 * `retryable` says whether the same request may succeed when it is sent again unchanged.
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
  INTERNAL: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** True when `code` belongs to the closed list. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** Every failure that a caller may see: a code of the closed list and a sentence that names field, expected and found. */
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

  /** Classifies anything thrown: a PartituraError stays what it is, the rest becomes `fallback`. */
  static from(cause: unknown, fallback: ErrorCode = 'INTERNAL'): PartituraError {
    if (cause instanceof PartituraError) return cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    return new PartituraError(fallback, message, { cause });
  }
}
