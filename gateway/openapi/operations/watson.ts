import { CALL_HEADERS, ERRORS, type Operation } from '../operation.js';

const watson = { tag: 'Watson Machine Learning', errorBody: 'WatsonErrors' } as const;
const read = { ...watson, method: 'get', errors: ERRORS.read } as const;

export const WATSON: readonly Operation[] = [
  {
    ...read,
    id: 'watsonVersion',
    path: '/ml/wml_services/v2/version',
    summary: 'Version, which the SDK asks for first',
    answers: { 200: 'WatsonVersion' },
  },
  {
    ...read,
    id: 'watsonSpace',
    path: '/v2/spaces/{space}',
    summary: 'A space; all names are accepted',
    answers: { 200: 'Empty' },
  },
  {
    ...read,
    id: 'watsonDeployments',
    path: '/ml/v4/deployments',
    summary: 'All deployments; they have no pages',
    answers: { 200: 'WatsonDeployments' },
  },
  {
    ...read,
    id: 'watsonDeployment',
    path: '/ml/v4/deployments/{deployment}',
    summary: 'A deployment, which is a model',
    answers: { 200: 'WatsonDeployment' },
  },
  {
    ...watson,
    method: 'post',
    id: 'watsonPredictions',
    path: '/ml/v4/deployments/{deployment}/predictions',
    summary: 'Prediction by a deployment',
    headers: CALL_HEADERS,
    request: 'WatsonPredictionRequest',
    answers: { 200: 'WatsonPrediction' },
    errors: ERRORS.infer,
  },
];
