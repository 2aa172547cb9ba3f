import { CALL_HEADERS, ERRORS, type Operation } from '../operation.js';
import type { BodyName } from '../schemas/index.js';

const tag = 'TensorFlow Serving';
/** One route answers all paths: they are matched without regard to case. */
const route = '/v1/*';

interface Method {
  readonly id: string;
  readonly verb: string;
  readonly request: BodyName;
  readonly answer: BodyName;
}

const METHODS: readonly Method[] = [
  { id: 'predict', verb: 'Prediction', request: 'PredictRequest', answer: 'PredictResponse' },
  { id: 'classify', verb: 'Classification', request: 'ExamplesRequest', answer: 'ClassifyResponse' },
  { id: 'regress', verb: 'Regression', request: 'ExamplesRequest', answer: 'RegressResponse' },
];

const TARGETS = [
  { suffix: '', base: '/v1/models/{model}', of: 'a model' },
  { suffix: 'OfVersion', base: '/v1/models/{model}/versions/{version}', of: 'a version' },
  { suffix: 'OfLabel', base: '/v1/models/{model}/labels/{label}', of: 'the version with a label' },
];

export const TENSORFLOW_SERVING: readonly Operation[] = TARGETS.flatMap(({ suffix, base, of }) => {
  const read = { method: 'get', route, tag, errors: ERRORS.read } as const;
  const predictions = METHODS.map(({ id, verb, request, answer }): Operation => ({
    method: 'post',
    route,
    tag,
    id: `${id}${suffix}`,
    path: `${base}:${id}`,
    summary: `${verb} by ${of}`,
    headers: CALL_HEADERS,
    request,
    answers: { 200: answer },
    errors: ERRORS.infer,
  }));
  return [
    ...predictions,
    {
      ...read,
      id: `status${suffix}`,
      path: base,
      summary: `Status of ${of}`,
      answers: { 200: 'ModelStatus' },
    },
    {
      ...read,
      id: `signatures${suffix}`,
      path: `${base}/metadata`,
      summary: `Signatures of ${of}`,
      answers: { 200: 'SignatureMetadata' },
    },
  ];
});
