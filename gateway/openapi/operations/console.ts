import { z } from 'zod';
import { ListQuery } from '../../../console/server/dead-letters/selection.js';
import { RequestQuery } from '../../../console/server/request-routes.js';
import { ERRORS, type Operation } from '../operation.js';
import type { BodyName } from '../schemas/index.js';

const base = '/console/api';
const own = { tag: 'Console', method: 'get', errors: ERRORS.none } as const;
const named = { ...own, errors: ERRORS.read } as const;
/** Reads topics, and so needs the brokers; too many searches at once are refused with 409. */
const search = { ...own, errors: [400, 404, 409, 503] } as const;
const WholeNumber = z.string().regex(/^\d{1,15}$/);

function view(id: string, path: string, summary: string, answer: BodyName): Operation {
  return { ...own, id, path: `${base}${path}`, summary, answers: { 200: answer } };
}

function change(name: 'replay' | 'drop', summary: string): Operation {
  return {
    ...search,
    method: 'post',
    id: `${name}DeadLetters`,
    path: `${base}/dead-letters/${name}`,
    summary,
    request: 'DeadLetterCommand',
    answers: { 200: 'DeadLetterOutcome' },
    errors: [400, 403, 409, 413, 415, 503],
  };
}

export const CONSOLE: readonly Operation[] = [
  view('consoleOverview', '', 'Everything that the overview shows', 'Overview'),
  view('consoleNodes', '/nodes', 'Nodes with state and load', 'NodeViews'),
  view('consoleModels', '/models', 'Models with versions, signatures and batching verdicts', 'ModelViews'),
  view('consoleWaits', '/waits', 'Expected waits', 'WaitsView'),
  view('consoleBindings', '/bindings', 'Bindings with their states on nodes', 'BindingViews'),
  view('consoleJobs', '/jobs', 'Split jobs of the last week', 'JobViews'),
  view('consoleTraffic', '/traffic', 'Traffic of this gateway in the last five minutes', 'TrafficView'),
  {
    ...view('consoleTopics', '/topics', 'Topics and partitions with owners and lag', 'TopicViews'),
    errors: [503],
  },
  {
    ...named,
    id: 'consoleNode',
    path: `${base}/nodes/{item}`,
    summary: 'A node',
    answers: { 200: 'NodeView' },
  },
  {
    ...named,
    id: 'consoleModel',
    path: `${base}/models/{item}`,
    summary: 'A model',
    answers: { 200: 'ModelView' },
  },
  {
    ...named,
    id: 'consoleJob',
    path: `${base}/jobs/{item}`,
    summary: 'A split job',
    answers: { 200: 'JobView' },
  },
  {
    ...search,
    id: 'consoleTopic',
    path: `${base}/topics/{item}`,
    summary: 'A topic',
    answers: { 200: 'TopicView' },
  },
  {
    ...own,
    id: 'consoleEvents',
    path: `${base}/events`,
    summary: 'All views live, as the pages follow them',
    answers: {
      200: { types: ['text/event-stream'], description: 'Events named by view, with its JSON as data' },
    },
    errors: [409],
  },
  {
    ...search,
    id: 'consoleRequest',
    path: `${base}/requests/{id}`,
    summary: 'Timeline of a request, by correlation, request or trace id',
    query: RequestQuery,
    answers: { 200: 'RequestView' },
  },
  {
    ...search,
    id: 'deadLetters',
    path: `${base}/dead-letters`,
    summary: 'Dead letters, the newest first',
    query: ListQuery,
    answers: { 200: 'DeadLettersView' },
  },
  {
    ...search,
    id: 'deadLetter',
    path: `${base}/dead-letters/{topic}/{partition}/{offset}`,
    summary: 'A dead letter with its bytes',
    params: { partition: WholeNumber, offset: WholeNumber },
    answers: { 200: 'DeadLetterView' },
  },
  change('replay', 'Sends dead letters back to their topics'),
  change('drop', 'Drops dead letters'),
];
