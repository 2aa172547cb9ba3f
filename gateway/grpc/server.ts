import { Server, type ServerOptions, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto, service as healthDefinition } from 'grpc-health-check';
import type { Config } from '../../core/config/config.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import { sleep } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import { authenticated } from './authenticated.js';
import { serverCredentials } from './credentials.js';
import type { GrpcService } from './grpc-service.js';
import { Health } from './health.js';
import { GRPC_SERVICES } from './index.js';
import { checkingMessages, refuseMalformed } from './malformed.js';
import { CallObserver, type CallParts } from './observer.js';
import { orderedStreamHandler } from './ordered-stream.js';
import { loadProtos, serviceOf } from './protos.js';
import { unaryHandler } from './unary.js';

const HEALTH = 'grpc.health.v1.Health';
/**
 * A message is at most so many times larger than its record: a byte of a tensor can be a varint of ten bytes. What is
 * larger is refused before it is parsed, which would cost memory and time.
 */
const MAX_EXPANSION = 10;
/** Calls that a client may have in flight on one connection. */
const MAX_STREAMS = 1_000;
/** Time after which a silent client is asked whether it is still there, and time for its answer, milliseconds. */
const KEEP_ALIVE_MS = 60_000;
const KEEP_ALIVE_LIMIT_MS = 20_000;

export type GrpcServerParts = GatewayServices & Omit<CallParts, 'draining'>;

/** The gRPC server of a gateway. */
export class GrpcServer {
  readonly #draining = new AbortController();
  readonly #health: Health;
  readonly #server: Server;

  /** Registers all services; the server does not listen yet. */
  constructor(readonly parts: GrpcServerParts) {
    const protos = loadProtos();
    this.#server = new Server(optionsOf(parts.config));
    const checking = checkingMessages(this.#server);
    for (const service of GRPC_SERVICES)
      checking.addService(serviceOf(protos, service.name), this.#implement(service));
    this.#health = new Health(
      parts.models,
      GRPC_SERVICES.map(({ name }) => name),
    );
    checking.addService(healthDefinition, this.#health.implementation);
    const described = { ...protos, ...loadSync(healthProto, { keepCase: true }) };
    const services = [...GRPC_SERVICES.map(({ name }) => name), HEALTH];
    const reflection = new ReflectionService(described, { services });
    reflection.addToServer(authenticated(checking, parts.authenticator));
  }

  #implement(service: GrpcService): UntypedServiceImplementation {
    const { parts } = this;
    const callParts = { ...parts, draining: this.#draining.signal };
    const observer = new CallObserver(service.dialect, parts);
    const { unary, streams = {} } = service.methods(parts);
    const isOpen = (name: string): boolean => service.open?.includes(name) ?? false;
    return {
      ...mapValues(unary, (method, name) => unaryHandler(method, isOpen(name), observer, callParts)),
      ...mapValues(streams, (method) => orderedStreamHandler(method, observer, callParts)),
    };
  }

  /** @returns the address, `host:port`. @throws PartituraError INVALID_REQUEST if the port is in use */
  async listen(): Promise<string> {
    const { config, log } = this.parts;
    const { gatewayHost, grpcPort } = config;
    const host = gatewayHost.includes(':') ? `[${gatewayHost}]` : gatewayHost;
    const credentials = serverCredentials(config, log);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${grpcPort}`, credentials, (error, port) => {
        if (error) reject(unbound(error, gatewayHost, grpcPort));
        else resolve(`${host}:${port}`);
      });
    });
  }

  /** Stops accepting calls and waits for those in flight; after `limitMs` cancels the rest. */
  async close(limitMs: number): Promise<void> {
    this.#health.close();
    this.#draining.abort();
    const given = new AbortController();
    const drained = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await Promise.race([drained, sleep(limitMs, given.signal)]);
    given.abort();
    this.#server.forceShutdown();
  }
}

function optionsOf({ gatewayMaxBodyBytes, maxRecordBytes }: Config): ServerOptions {
  return {
    'grpc.max_receive_message_length': Math.min(gatewayMaxBodyBytes, MAX_EXPANSION * maxRecordBytes),
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.keepalive_time_ms': KEEP_ALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEP_ALIVE_LIMIT_MS,
    // Statistics that nobody reads, at a tenth of the cost of a call.
    'grpc.enable_channelz': 0,
    interceptors: [refuseMalformed],
  };
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  convert: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value, name)]));
}

function unbound(error: Error, host: string, port: number): Error {
  if (!error.message.includes('EADDRINUSE')) return error;
  return new PartituraError(
    'INVALID_REQUEST',
    `port ${port} on ${host} is in use by another program; choose another with --grpc-port`,
    { cause: error },
  );
}
