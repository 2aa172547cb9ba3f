import type { z } from 'zod';
import type { BodyName } from './schemas/index.js';

/** A body that is not JSON, by its media type. */
export interface OtherBody {
  readonly types: readonly string[];
  readonly description: string;
}

/** A header that an operation reads. */
export interface HeaderParameter {
  readonly name: string;
  readonly description: string;
  /** Default: any text. */
  readonly schema?: z.ZodType;
}

/** A resource and a method of the REST APIs, as the OpenAPI document describes it. */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Path with parameters in braces. */
  readonly path: string;
  /** Path of the server's route, where it is not `path` with colons. */
  readonly route?: string;
  readonly tag: string;
  readonly summary: string;
  /** Schemas of the path's parameters; any text where there is none. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  readonly headers?: readonly HeaderParameter[];
  readonly request?: BodyName | undefined;
  /** Other forms of the request than JSON and XML. */
  readonly otherRequest?: OtherBody;
  readonly isRequestOptional?: boolean;
  /** Bodies of answers other than errors, by status. */
  readonly answers: Readonly<Record<number, BodyName | OtherBody>>;
  readonly errors: readonly number[];
  readonly errorBody?: BodyName;
  /** True if no credential is needed. */
  readonly isOpen?: boolean;
}

/** Statuses of errors by kind of operation. */
export const ERRORS = {
  none: [],
  read: [400, 404],
  infer: [400, 404, 413, 415, 429, 500, 503, 504],
  control: [400, 404, 413, 415, 500, 501, 503],
} as const;

/** Headers that limit and trace a prediction. */
export const CALL_HEADERS: readonly HeaderParameter[] = [
  { name: 'X-Request-Timeout-Ms', description: 'Time that the caller waits, milliseconds' },
  { name: 'traceparent', description: 'Trace context to continue (W3C)' },
];

/** Returns the route of the server that answers an operation, as `METHOD /path`. */
export function routeOf({ method, path, route }: Operation): string {
  return `${method.toUpperCase()} ${route ?? path.replace(/\{(\w+)\}/g, ':$1')}`;
}
