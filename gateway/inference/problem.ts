import { isOutage } from '../../kafka/port.js';
import { NoReplyError } from '../../producers/no-reply-error.js';
import { PartituraError, type ErrorCode } from '../../schemas/errors.js';

/** gRPC status codes that the gateway uses. https://grpc.io/docs/guides/status-codes/ */
export const GRPC_STATUS = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

interface Status {
  readonly http: number;
  readonly grpc: number;
}

/** Status of each error code over HTTP and gRPC. */
const STATUS: Readonly<Record<ErrorCode, Status>> = {
  INVALID_REQUEST: { http: 400, grpc: GRPC_STATUS.INVALID_ARGUMENT },
  DECODE_FAILED: { http: 400, grpc: GRPC_STATUS.INVALID_ARGUMENT },
  MODEL_NOT_FOUND: { http: 404, grpc: GRPC_STATUS.NOT_FOUND },
  MODEL_NOT_READY: { http: 503, grpc: GRPC_STATUS.UNAVAILABLE },
  SHAPE_MISMATCH: { http: 400, grpc: GRPC_STATUS.INVALID_ARGUMENT },
  DATATYPE_MISMATCH: { http: 400, grpc: GRPC_STATUS.INVALID_ARGUMENT },
  DEADLINE_EXCEEDED: { http: 504, grpc: GRPC_STATUS.DEADLINE_EXCEEDED },
  REQUEST_TOO_LARGE: { http: 413, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED },
  OVERLOADED: { http: 429, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED },
  REPLY_TOPIC_NOT_ALLOWED: { http: 500, grpc: GRPC_STATUS.INTERNAL },
  REPLY_TOO_LARGE: { http: 500, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED },
  MODEL_FAILED: { http: 500, grpc: GRPC_STATUS.INTERNAL },
  MODEL_CRASHED: { http: 500, grpc: GRPC_STATUS.INTERNAL },
  PART_FAILED: { http: 500, grpc: GRPC_STATUS.INTERNAL },
  JOB_CANCELLED: { http: 499, grpc: GRPC_STATUS.CANCELLED },
  INTERNAL: { http: 500, grpc: GRPC_STATUS.INTERNAL },
};

/** The failure of a call, as every dialect reports it. */
export interface Problem extends Status {
  /** Error code, or the reason why there was no reply. */
  readonly code: string;
  readonly message: string;
  /** Seconds after which a retry may succeed; for OVERLOADED. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A refusal of the HTTP or gRPC front itself, with a status that no error code has. */
export class FrontError extends Error {
  override readonly name = 'FrontError';

  constructor(
    readonly status: Status,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A refusal because the queue is too long for the request. */
export class Overloaded extends PartituraError {
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super('OVERLOADED', message);
  }
}

/** Classifies anything thrown while a call is answered. */
export function problemOf(error: unknown): Problem {
  if (error instanceof NoReplyError) return noReply(error);
  if (error instanceof FrontError) return { ...error.status, code: error.code, message: error.message };
  if (error instanceof PartituraError) {
    return {
      ...STATUS[error.code],
      code: error.code,
      message: error.message,
      retryAfterSeconds: retryAfterSeconds(error),
    };
  }
  if (isOutage(error)) return unavailable((error as Error).message);
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  const http = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
  const text = http === 500 ? 'internal error of the gateway' : String(message);
  return {
    http,
    grpc: http === 500 ? GRPC_STATUS.INTERNAL : GRPC_STATUS.INVALID_ARGUMENT,
    code: 'INTERNAL',
    message: text,
  };
}

/** Refusals that know no queue, as of too many calls in flight, are worth a retry soon. */
function retryAfterSeconds(error: PartituraError): number | undefined {
  if (error instanceof Overloaded) return error.retryAfterSeconds;
  return error.code === 'OVERLOADED' ? 1 : undefined;
}

function noReply({ reason, message }: NoReplyError): Problem {
  switch (reason) {
    case 'timeout':
      return { http: 504, grpc: GRPC_STATUS.DEADLINE_EXCEEDED, code: 'DEADLINE_EXCEEDED', message };
    case 'aborted':
      return { http: 499, grpc: GRPC_STATUS.CANCELLED, code: 'CANCELLED', message };
    default:
      return unavailable(message);
  }
}

function unavailable(message: string): Problem {
  return { http: 503, grpc: GRPC_STATUS.UNAVAILABLE, code: 'UNAVAILABLE', message };
}
