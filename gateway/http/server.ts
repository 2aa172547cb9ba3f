import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { addConsole } from '../../console/server/index.js';
import type { ConsoleServices } from '../../console/server/services.js';
import type { Logger } from '../../core/log.js';
import { PartituraError } from '../../schemas/errors.js';
import { REST_DIALECTS } from '../dialects/index.js';
import type { GatewayServices, RestDialect } from '../dialects/rest-dialect.js';
import { problemOf, type Problem } from '../inference/problem.js';
import type { GatewayMetrics } from '../metrics.js';
import { compress } from './compress.js';
import { decompress } from './decompress.js';
import { addHealthRoutes } from './health.js';

/** Time for a client to send its headers, and for an idle connection to be kept, milliseconds. */
const HEADERS_LIMIT_MS = 20_000;
const KEEP_ALIVE_MS = 75_000;
/** Time for a client to send the whole request, milliseconds: a slow body must not hold a connection forever. */
const REQUEST_LIMIT_MS = 300_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_PARAMETER_CHARACTERS = 1_024;

declare module 'fastify' {
  interface FastifyRequest {
    /** Name of the dialect whose route answers; empty for the gateway's own routes. */
    dialect: string;
  }
}

export interface HttpServerParts extends GatewayServices {
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly pages: ConsoleServices;
}

/** Creates the HTTP server of a gateway, with the routes of all dialects; it does not listen yet. */
export function createHttpServer(parts: HttpServerParts): FastifyInstance {
  const app = fastify({
    bodyLimit: parts.config.gatewayMaxBodyBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_LIMIT_MS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER_CHARACTERS },
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_LIMIT_MS },
    forceCloseConnections: 'idle',
  });
  app.decorateRequest('dialect', '');
  addBodyParsing(app);
  app.addHook('onSend', compress);
  app.addHook('onResponse', (request, reply, done) => {
    parts.metrics.answered(request.dialect, reply.statusCode, reply.elapsedTime);
    done();
  });
  addHealthRoutes(app, parts);
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
  return app;
}

function addBodyParsing(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('preParsing', (request, _reply, payload, done) => {
    try {
      done(null, decompress(payload, request.headers['content-encoding']));
    } catch (error) {
      done(error as Error);
    }
  });
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
  { config, log }: HttpServerParts,
): void {
  app.setErrorHandler((error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(tooLarge(error, config.gatewayMaxBodyBytes) ?? error);
    if (problem.http === 500)
      log.error({ err: error, url: request.url }, 'request failed; answered with 500');
    if (problem.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(problem.retryAfterSeconds));
    return reply.code(problem.http).send(bodyOf(problem));
  });
}

/** Translates fastify's error for a body above the limit. */
function tooLarge(error: unknown, limit: number): PartituraError | undefined {
  if ((error as { code?: unknown }).code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return undefined;
  return new PartituraError('REQUEST_TOO_LARGE', `body: expected at most ${limit} bytes, got more`);
}
