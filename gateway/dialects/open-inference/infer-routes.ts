import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bodyOf } from '../../http/body-of.js';
import { callContextOf } from '../../http/call-context.js';
import { answerDeferred, prefersDeferred, streamKey } from '../../deferred/routes.js';
import type { GatewayServices } from '../rest-dialect.js';
import { decodeInfer } from './decode.js';
import { encodeInfer } from './encode.js';
import { BINARY_HEADER } from './binary.js';
import { serverTiming } from '../../http/server-timing.js';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/** Adds `POST /v2/models/{model}[/versions/{version}]/infer`. */
export function addInferRoutes(
  app: FastifyInstance,
  { config, inferences, models, deferred }: GatewayServices,
): void {
  const infer = async (
    request: FastifyRequest<{ Params: ModelParams }>,
    reply: FastifyReply,
  ): Promise<unknown> => {
    const { model, version } = request.params;
    const served = models.visibleTo(request.identity).resolve(model, version);
    const context = callContextOf(request, reply, config.gatewayTimeoutMs);
    const { inference, binaryOutputs, timeoutMs } = await decodeInfer(
      bodyOf(request),
      request.headers[BINARY_HEADER],
      served,
    );
    const asked = { ...inference, model, modelVersion: version ?? null };
    if (prefersDeferred(request)) {
      context.identity.requireModel(model);
      const id = await deferred.send(asked, streamOf(request), context.headers);
      return answerDeferred(reply, id);
    }
    const answer = await inferences.infer(asked, {
      ...context,
      timeoutMs: Math.min(context.timeoutMs, timeoutMs ?? Infinity),
    });
    const { json, tail } = encodeInfer(answer, binaryOutputs);
    void reply.header('server-timing', serverTiming(answer));
    if (tail === undefined) return reply.type('application/json').send(json);
    return reply
      .type('application/octet-stream')
      .header(BINARY_HEADER, String(json.length))
      .send(Buffer.concat([json, ...tail]));
  };
  app.post('/v2/models/:model/infer', infer);
  app.post('/v2/models/:model/versions/:version/infer', infer);
}

/** Returns the key of the stream that `X-Stream` names; undefined without it. */
function streamOf({ headers: { 'x-stream': name }, identity }: FastifyRequest): string | undefined {
  return typeof name === 'string' ? streamKey(name, identity) : undefined;
}
