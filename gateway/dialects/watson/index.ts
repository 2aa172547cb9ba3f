import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { VERSION } from '../../../core/version.js';
import { bodyOf } from '../../http/body-of.js';
import { callContextOf } from '../../http/call-context.js';
import type { Problem } from '../../inference/problem.js';
import { readBody } from '../../json/read-body.js';
import type { CallerModels } from '../../models/caller-models.js';
import { isAvailable, signatureOf } from '../../models/served-models.js';
import type { GatewayServices, RestDialect } from '../rest-dialect.js';
import { readPredictionInput } from './decode.js';
import { writePrediction } from './encode.js';

/** Error codes of Watson Machine Learning, by status. */
const CODES: Readonly<Record<number, string>> = {
  400: 'invalid_request_entity',
  401: 'authorization_rejected',
  403: 'authorization_rejected',
  404: 'deployment_does_not_exist',
  429: 'too_many_requests',
};

type Deployment = FastifyRequest<{ Params: { readonly deployment: string } }>;

/**
 * Watson Machine Learning's predictions, as IBM's SDK sends them: the deployment is the model.
 * https://cloud.ibm.com/apidocs/machine-learning#deployments-compute-predictions
 */
export const watson: RestDialect = {
  name: 'watson',

  errorBody: ({ http, message }: Problem) => ({
    trace: '',
    errors: [{ code: CODES[http] ?? 'wml_service_error', message }],
    status_code: String(http),
  }),

  addRoutes(app: FastifyInstance, services: GatewayServices): void {
    app.get('/ml/wml_services/v2/version', () => ({ version: VERSION }));
    app.get('/v2/spaces/:space', () => ({}));
    app.get('/ml/v4/deployments', ({ identity }) => {
      const models = services.models.visibleTo(identity);
      const available = models.all().filter(({ versions }) => versions.some(isAvailable));
      return { resources: available.map(({ name }) => describe(name, models)) };
    });
    app.get('/ml/v4/deployments/:deployment', ({ params: { deployment }, identity }: Deployment) =>
      describe(deployment, services.models.visibleTo(identity)),
    );
    app.post('/ml/v4/deployments/:deployment/predictions', (request: Deployment, reply) =>
      predict(request, reply, services),
    );
  },
};

function describe(deployment: string, models: CallerModels): object {
  const { version } = models.resolve(deployment);
  return {
    metadata: { id: deployment, name: deployment },
    entity: {
      name: deployment,
      online: {},
      status: { state: 'ready' },
      asset: { id: deployment, rev: version },
    },
  };
}

async function predict(
  request: Deployment,
  reply: FastifyReply,
  { config, inferences, models }: GatewayServices,
): Promise<string> {
  const { deployment: model } = request.params;
  const served = models.visibleTo(request.identity).resolve(model);
  const body = await readBody(bodyOf(request));
  const inputs = readPredictionInput(body, signatureOf(served, undefined));
  const context = callContextOf(request, reply, config.gatewayTimeoutMs);
  const inference = {
    id: '',
    model,
    modelVersion: null,
    inputs,
    outputs: [],
    parameters: {},
    deadline: null,
  };
  const { outputs } = await inferences.infer(inference, context);
  void reply.type('application/json');
  return writePrediction(outputs);
}
