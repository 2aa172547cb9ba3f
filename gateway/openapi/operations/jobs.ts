import type { Operation } from '../operation.js';

const own = { tag: 'Jobs', errors: [400, 403, 404, 500, 503] } as const;

export const JOB_OPERATIONS: readonly Operation[] = [
  {
    ...own,
    method: 'get',
    id: 'jobs',
    path: '/v1/jobs',
    summary: 'Jobs of the last week',
    answers: { 200: 'Jobs' },
  },
  {
    ...own,
    method: 'post',
    id: 'submitJob',
    path: '/v1/jobs',
    summary: 'Submits a job that is split over many nodes',
    request: 'JobRequest',
    answers: { 202: 'JobAccepted' },
    errors: [400, 403, 404, 413, 415, 500, 503],
  },
  {
    ...own,
    method: 'get',
    id: 'job',
    path: '/v1/jobs/{id}',
    summary: 'Status of a job',
    answers: { 200: 'Job' },
  },
  {
    ...own,
    method: 'delete',
    id: 'cancelJob',
    path: '/v1/jobs/{id}',
    summary: 'Cancels a job',
    answers: { 202: 'JobAccepted' },
  },
  {
    ...own,
    method: 'get',
    id: 'watchJob',
    path: '/v1/jobs/{id}/events',
    summary: 'Each change of a job, until it ends',
    answers: {
      200: { types: ['text/event-stream'], description: 'Events `status` with the status as data' },
    },
  },
  {
    ...own,
    method: 'get',
    id: 'jobResult',
    path: '/v1/jobs/{id}/result',
    summary: 'Result of a job that is done',
    answers: { 200: { types: ['application/x-ndjson'], description: 'A JSON line for each row' } },
  },
];
