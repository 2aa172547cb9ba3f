import type { GatewayServices } from '../dialects/rest-dialect.js';
import type { CallContext } from '../inference/inferences.js';
import type { Problem } from '../inference/problem.js';

/** Answers one request; throws, and the server answers with the status of `problemOf`. */
export type UnaryMethod = (request: never, context: CallContext) => object | Promise<object>;

/** A bidirectional method whose answers come in the order of their requests, one for each. */
export interface OrderedStreamMethod {
  readonly answer: (request: never, context: CallContext) => Promise<object>;
  /** Returns the answer that reports a failure; the stream continues. */
  readonly failure: (request: never, problem: Problem) => object;
}

/** Methods of a service by name. */
export interface GrpcMethods {
  readonly unary: Readonly<Record<string, UnaryMethod>>;
  readonly streams?: Readonly<Record<string, OrderedStreamMethod>>;
}

/** A gRPC service that clients already speak. */
export interface GrpcService {
  /** Full name in the .proto files. */
  readonly name: string;
  /** Label of its calls in metrics. */
  readonly dialect: string;
  /** Methods that need no credential: health. */
  readonly open?: readonly string[];
  methods(services: GatewayServices): GrpcMethods;
}
