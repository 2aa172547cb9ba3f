import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { addConsole } from '../../console/server/index.js';
import type { ConsoleServices } from '../../console/server/services.js';
import type { Http2ServerRequest } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Server as TlsServer } from 'node:tls';
import type { Logger } from '../../core/log.js';
import { addControlRoutes } from '../control/routes.js';
import { REST_DIALECTS } from '../dialects/index.js';
import type { GatewayServices, RestDialect } from '../dialects/rest-dialect.js';
import { problemOf, type Problem } from '../inference/problem.js';
import { addJobRoutes } from '../jobs/routes.js';
import type { GatewayMetrics } from '../metrics.js';
import { addOpenApi } from '../openapi/routes.js';
import type { Identity } from '../auth/identity.js';
import { addXml } from '../xml/negotiate.js';
import { Connections } from './connections.js';
import { collectBody, type BodyCollected } from './collect-body.js';
import { compress } from './compress.js';
import { decompress } from './decompress.js';
import { authenticate } from './authenticate.js';
import { addHealthRoutes } from './health.js';
import { refuseOtherMethods } from './other-methods.js';
import { addSecurity } from './security.js';
import { limitUploads } from './upload-limits.js';
import { readKeyPair, watchKeyPair, type KeyPair } from './tls.js';

/** Time for a client to send its headers, and for an idle connection to be kept, milliseconds. */
const HEADERS_LIMIT_MS = 20_000;
const KEEP_ALIVE_MS = 75_000;
/** Time for a client to send a whole body, or without progress of a streamed one, milliseconds. */
const UPLOAD_LIMIT_MS = 300_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_PARAMETER_CHARACTERS = 1_024;

declare module 'fastify' {
  interface FastifyRequest {
    /** Name of the dialect whose route answers; empty for the gateway's own routes. */
    dialect: string;
    /** Sender of the request. */
    identity: Identity;
  }
}

export interface HttpServerParts extends GatewayServices {
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly pages: ConsoleServices;
}

/** The HTTP server with its connections. */
export interface HttpServer {
  readonly app: FastifyInstance;
  readonly connections: Connections;
}

/** Creates the HTTP server of a gateway, with the routes of all dialects; it does not listen yet. */
export function createHttpServer(parts: HttpServerParts): HttpServer {
  const keyPair = readKeyPair(parts.config);
  const app = createApp(keyPair);
  const connections = new Connections(app);
  if (keyPair) followCertificate(app, parts);
  app.decorateRequest('dialect', '');
  authenticate(app, parts);
  limitUploads(app, UPLOAD_LIMIT_MS);
  addSecurity(app, parts, keyPair !== undefined);
  refuseOtherMethods(app);
  addBodyParsing(app, parts.config.gatewayMaxBodyBytes);
  addXml(app, parts.config.gatewayMaxBodyBytes);
  app.addHook('onSend', compress);
  app.addHook('onResponse', (request, reply, done) => {
    parts.metrics.answered(request.dialect, reply.statusCode, reply.elapsedTime);
    done();
  });
  addHealthRoutes(app, { ...parts, connections });
  addOpenApi(app, parts);
  void app.register((scope, _options, done) => {
    addControlRoutes(scope, parts);
    done();
  });
  void app.register((scope, _options, done) => {
    addJobRoutes(scope, parts);
    done();
  });
  const plainError = ({ message }: Problem): object => ({ error: message });
  answerErrors(app, plainError, parts);
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `Malformed request: ${request.method} ${request.url}` }),
  );
  for (const dialect of REST_DIALECTS)
    void app.register((scope, _options, done) => {
      addDialect(scope, dialect, parts);
      done();
    });
  addConsole(app, parts.pages);
  return { app, connections };
}

function createApp(keyPair: KeyPair | undefined): FastifyInstance {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Requests that arrive on kept connections while the gateway drains are answered.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER_CHARACTERS },
  };
  const http = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_LIMIT_MS };
  if (!keyPair) return fastify({ ...limits, http, forceCloseConnections: 'idle' });
  // HTTP/2 by ALPN, HTTP/1.1 for others; the instances differ in the type of their raw requests only.
  return fastify({
    ...limits,
    http2: true,
    https: { ...http, ...keyPair, allowHTTP1: true },
  }) as unknown as FastifyInstance;
}

/** Uses a renewed certificate for new connections. */
function followCertificate(app: FastifyInstance, { config, log }: HttpServerParts): void {
  const server = app.server as unknown as TlsServer;
  const stop = watchKeyPair(config, (pair) => server.setSecureContext(pair), log);
  app.addHook('onClose', (_instance, done) => {
    stop();
    done();
  });
}

function addBodyParsing(app: FastifyInstance, maxBytes: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request: FastifyRequest, payload: Readable, done: BodyCollected) =>
    collectBody(request, payload, maxBytes, done),
  );
  app.addHook('onRequest', (request, _reply, done) => {
    nameBody(request);
    done();
  });
  app.addHook('preParsing', (request, _reply, payload, done) => {
    try {
      done(null, decompress(payload, request.headers['content-encoding']));
    } catch (error) {
      done(error as Error);
    }
  });
}

/**
 * Gives a body over HTTP/2 without a content type the usual one: it needs no length there either, so that fastify would
 * not see it.
 */
function nameBody({ raw, headers }: FastifyRequest): void {
  const { stream } = raw as unknown as Partial<Http2ServerRequest>;
  if (stream?.endAfterHeaders === false) headers['content-type'] ??= 'application/json';
}

function addDialect(scope: FastifyInstance, dialect: RestDialect, parts: HttpServerParts): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    request.dialect = dialect.name;
    done();
  });
  answerErrors(scope, (problem) => dialect.errorBody(problem), parts);
  dialect.addRoutes(scope, parts);
}

function answerErrors(
  app: FastifyInstance,
  bodyOf: (problem: Problem) => object,
  { log }: HttpServerParts,
): void {
  app.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(error);
    if (problem.http === 500)
      log.error({ err: error, url: request.url }, 'request failed; answered with 500');
    if (problem.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(problem.retryAfterSeconds));
    return reply.code(problem.http).send(bodyOf(problem));
  });
}
