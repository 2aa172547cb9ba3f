import { z } from 'zod';
import { MODEL_NAME } from '../../../schemas/model-name.js';
import { ERRORS, type Operation } from '../operation.js';

const tag = 'Control';
const requestedBy = {
  name: 'X-Requested-By',
  description: 'Person or program that asks; default: its address',
};
const command = {
  tag,
  headers: [requestedBy],
  answers: { 200: 'DirectiveOutcome', 409: 'DirectiveOutcome' },
  errors: ERRORS.control,
} as const;

/** A directive to a model. */
const ofModel = { ...command, params: { name: z.string().regex(MODEL_NAME) } } as const;

export const CONTROL: readonly Operation[] = [
  {
    tag,
    method: 'get',
    id: 'directives',
    path: '/api/directives',
    summary: 'Desired state of models and nodes, and who asked for it',
    answers: { 200: 'Directives' },
    errors: ERRORS.none,
  },
  { ...ofModel, method: 'post', id: 'loadModel', path: '/api/models/{name}/load', summary: 'Loads a model' },
  {
    ...ofModel,
    method: 'post',
    id: 'unloadModel',
    path: '/api/models/{name}/unload',
    summary: 'Unloads a model',
  },
  {
    ...ofModel,
    method: 'put',
    id: 'setLabels',
    path: '/api/models/{name}/labels',
    summary: 'Names versions of a model',
    request: 'Labels',
  },
  {
    ...ofModel,
    method: 'put',
    id: 'setVersionPolicy',
    path: '/api/models/{name}/version-policy',
    summary: 'Selects the versions of a model that are served',
    request: 'VersionPolicy',
  },
  {
    ...command,
    method: 'post',
    id: 'drainNode',
    path: '/api/nodes/{name}/drain',
    summary: 'Unloads all models of a node and gives its partitions to others',
  },
  {
    ...command,
    method: 'post',
    id: 'undrainNode',
    path: '/api/nodes/{name}/undrain',
    summary: 'Ends the drain of a node',
  },
];

const own = { method: 'get', tag: 'Gateway', errors: ERRORS.none } as const;

export const GATEWAY: readonly Operation[] = [
  {
    ...own,
    isOpen: true,
    id: 'live',
    path: '/healthz',
    summary: 'The gateway runs',
    answers: { 200: 'Health' },
  },
  {
    ...own,
    isOpen: true,
    id: 'ready',
    path: '/readyz',
    summary: 'A live node serves a model, and the gateway does not stop',
    answers: { 200: 'Readiness', 503: 'Readiness' },
  },
  {
    ...own,
    id: 'metrics',
    path: '/metrics',
    summary: 'Metrics of the gateway',
    answers: { 200: { types: ['text/plain'], description: 'Text format of Prometheus' } },
  },
  { ...own, id: 'openApi', path: '/openapi.json', summary: 'This document', answers: { 200: 'OpenApi' } },
  {
    ...own,
    id: 'xmlSchema',
    path: '/partitura.xsd',
    summary: 'Schema of all resources in XML',
    answers: { 200: { types: ['application/xml'], description: 'XML Schema' } },
  },
];
