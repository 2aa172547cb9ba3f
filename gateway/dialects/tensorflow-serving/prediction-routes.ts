import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InferenceReply, InferenceRequest, Tensor } from '../../../schemas/generated.js';
import { bodyOf } from '../../http/body-of.js';
import { callContextOf } from '../../http/call-context.js';
import { FrontError, GRPC_STATUS } from '../../inference/problem.js';
import { readBody } from '../../json/read-body.js';
import { signatureOf, type ServedVersion } from '../../models/served-models.js';
import { classifications } from '../../tensorflow/classification.js';
import { exampleInputs } from '../../tensorflow/example-inputs.js';
import { regressions } from '../../tensorflow/regression.js';
import { resolveVersion } from '../../tensorflow/resolve-version.js';
import type { GatewayServices } from '../rest-dialect.js';
import { parseExamplesBody, readExamples } from './read-examples.js';
import { requireObject, readPredict, readSignatureName, type PredictFormat } from './read-predict.js';
import { parsePrediction, type Method } from './paths.js';
import { writeClassifications, writePredictions, writeRegressions } from './write-predictions.js';

/** A decoded body: the inputs, and how the reply is written. */
interface Decoded {
  readonly inputs: readonly Tensor[];
  readonly write: (reply: InferenceReply) => string;
}

/** Adds `POST /v1/models/{model}[/versions/{version}|/labels/{label}]:predict|:classify|:regress`. */
export function addPredictionRoutes(app: FastifyInstance, services: GatewayServices): void {
  app.post('/v1/*', (request, reply) => predict(request, reply, services));
  app.post('/V1/*', (request, reply) => predict(request, reply, services));
}

async function predict(
  request: FastifyRequest,
  reply: FastifyReply,
  { config, inferences, models }: GatewayServices,
): Promise<FastifyReply> {
  const path = parsePrediction(request.url.split('?', 1)[0] ?? '');
  if (!path) throw malformed(request);
  const served = resolveVersion(models.visibleTo(request.identity), path);
  const bytes = bodyOf(request);
  const body = requireObject(path.method === 'predict' ? await readBody(bytes) : parseExamplesBody(bytes));
  const { inputs, write } = decode(path.method, body, served);
  const signature = readSignatureName(body);
  const inference: InferenceRequest = {
    id: '',
    model: path.model,
    modelVersion: path.version === undefined && path.label === undefined ? null : served.version,
    inputs: [...inputs],
    outputs: [],
    parameters: signature === undefined ? {} : { signature },
    deadline: null,
  };
  const answer = await inferences.infer(inference, callContextOf(request, reply, config.gatewayTimeoutMs));
  return reply.type('application/json').send(write(answer));
}

function decode(method: Method, body: Record<string, unknown>, served: ServedVersion): Decoded {
  const signature = signatureOf(served, readSignatureName(body));
  if (method === 'predict') {
    const { inputs, format } = readPredict(body, signature);
    return { inputs, write: writerOf(format) };
  }
  const examples = readExamples(body);
  const inputs = exampleInputs(examples, signature);
  if (method === 'classify')
    return {
      inputs,
      write: ({ outputs }) => writeClassifications(classifications(outputs, examples.length)),
    };
  return { inputs, write: ({ outputs }) => writeRegressions(regressions(outputs, examples.length)) };
}

const writerOf =
  (format: PredictFormat) =>
  ({ outputs }: InferenceReply): string =>
    writePredictions(outputs, format);

/** Reports a path that is none of the API's, as TensorFlow Serving does. */
export function malformed({ method, url }: FastifyRequest): FrontError {
  return new FrontError(
    { http: 404, grpc: GRPC_STATUS.INVALID_ARGUMENT },
    'INVALID_REQUEST',
    `Malformed request: ${method} ${url}`,
  );
}
