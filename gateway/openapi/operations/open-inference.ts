import { z } from 'zod';
import { DEFERRED_ID } from '../../deferred/deferred-id.js';
import { CALL_HEADERS, ERRORS, type Operation } from '../operation.js';
import { BulkQuery } from '../schemas/open-inference.js';

const tag = 'Open Inference Protocol';
const read = { method: 'get', tag, errors: ERRORS.read } as const;
const health = { method: 'get', tag, errors: ERRORS.none, isOpen: true } as const;
const command = { method: 'post', tag, errors: ERRORS.control, isRequestOptional: true } as const;

const DeferredIdText = z.string().regex(DEFERRED_ID).describe('As in the Location of a 202 answer');

const BINARY = {
  types: ['application/octet-stream'],
  description:
    'Binary tensor extension: JSON of Inference-Header-Content-Length bytes, then tensors in little-endian row-major order',
};
const ROWS = {
  types: ['application/x-ndjson', 'text/csv'],
  description: 'Rows: JSON values, one a line, or CSV with a header line',
};

const INFER_HEADERS = [
  ...CALL_HEADERS,
  { name: 'Inference-Header-Content-Length', description: 'Bytes of JSON before binary tensors; 0 for none' },
  { name: 'Prefer', description: 'respond-async answers 202 with the address of the reply' },
  { name: 'X-Stream', description: 'Stream that the reply of a deferred request belongs to' },
];

const infer = {
  method: 'post',
  tag,
  headers: INFER_HEADERS,
  request: 'InferRequest',
  otherRequest: BINARY,
  answers: { 200: 'InferResponse', 202: 'DeferredPending' },
  errors: ERRORS.infer,
} as const;

const OF_ALL_MODELS: readonly Operation[] = [
  {
    ...read,
    id: 'serverMetadata',
    path: '/v2',
    summary: 'Metadata of the server',
    answers: { 200: 'ServerMetadata' },
  },
  {
    ...health,
    id: 'serverLive',
    path: '/v2/health/live',
    summary: 'The gateway runs',
    answers: { 200: 'Live' },
  },
  {
    ...health,
    id: 'serverReady',
    path: '/v2/health/ready',
    summary: 'A live node serves a model',
    answers: { 200: 'Ready', 503: 'Ready' },
  },
  {
    ...read,
    id: 'allStatistics',
    path: '/v2/models/stats',
    summary: 'Statistics of all models',
    answers: { 200: 'ModelStatistics' },
  },
  {
    ...command,
    id: 'repositoryIndex',
    path: '/v2/repository/index',
    summary: 'Versions of all models',
    request: 'RepositoryIndexRequest',
    answers: { 200: 'RepositoryIndex' },
  },
  {
    ...command,
    id: 'repositoryLoad',
    path: '/v2/repository/models/{model}/load',
    summary: 'Loads a model on all nodes',
    request: 'RepositoryLoadRequest',
    answers: { 200: 'Empty' },
  },
  {
    ...command,
    id: 'repositoryUnload',
    path: '/v2/repository/models/{model}/unload',
    summary: 'Unloads a model on all nodes',
    request: 'RepositoryUnloadRequest',
    answers: { 200: 'Empty' },
  },
];

/** Resources of a model and of one of its versions. @param suffix of the ids of operations */
function resourcesOf(base: string, of: string, suffix: string): readonly Operation[] {
  return [
    {
      ...read,
      id: `modelMetadata${suffix}`,
      path: base,
      summary: `Inputs and outputs of ${of}`,
      answers: { 200: 'ModelMetadata' },
    },
    {
      ...read,
      id: `modelConfig${suffix}`,
      path: `${base}/config`,
      summary: `Configuration of ${of}, in the form of Triton`,
      answers: { 200: 'ModelConfig' },
    },
    {
      ...read,
      id: `modelStatistics${suffix}`,
      path: `${base}/stats`,
      summary: `Statistics of ${of}, in the form of Triton`,
      answers: { 200: 'ModelStatistics' },
    },
    {
      ...read,
      id: `modelReady${suffix}`,
      path: `${base}/ready`,
      summary: `Readiness of ${of}`,
      answers: { 200: 'ModelReady', 503: 'ModelReady' },
    },
    { ...infer, id: `infer${suffix}`, path: `${base}/infer`, summary: `Inference by ${of}` },
  ];
}

export const OPEN_INFERENCE: readonly Operation[] = [
  ...OF_ALL_MODELS,
  ...resourcesOf('/v2/models/{model}', 'a model', ''),
  ...resourcesOf('/v2/models/{model}/versions/{version}', 'a version', 'OfVersion'),
  {
    method: 'post',
    tag,
    id: 'bulk',
    path: '/v2/models/{model}/bulk',
    summary: 'Inference for many rows, streamed both ways in order',
    query: BulkQuery,
    headers: CALL_HEADERS,
    otherRequest: ROWS,
    answers: {
      200: { ...ROWS, description: 'Answers in the order of the rows; a row that fails has its error' },
    },
    errors: ERRORS.infer,
  },
  {
    ...read,
    id: 'deferredReply',
    path: '/v2/deferred/{id}',
    params: { id: DeferredIdText },
    summary: 'The reply of a deferred request, or its state',
    answers: { 200: 'DeferredAnswer', 202: 'DeferredPending' },
  },
  {
    ...read,
    id: 'streamOfReplies',
    path: '/v2/streams/{stream}',
    summary: 'Replies of deferred requests as server-sent events',
    headers: [
      {
        name: 'Last-Event-ID',
        description: 'Offset of the last reply that the caller has',
        schema: z.string().regex(/^\d{0,15}$/),
      },
    ],
    answers: { 200: { types: ['text/event-stream'], description: 'Events `reply` and `error`' } },
    errors: [400, 503],
  },
];
