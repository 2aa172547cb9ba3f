import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { isFinished, JOB_KINDS, type JobStatus } from '../../cluster/jobs/job-status.js';
import { JOBS } from '../../cluster/topics.js';
import { unknownJob, type JobClient } from '../../operations/jobs/job-client.js';
import { readResult, requireResult } from '../../operations/jobs/job-result.js';
import { invalidRequest } from '../../schemas/errors.js';
import { oipJson } from '../../schemas/framing/index.js';
import { linesOf } from '../../schemas/tensor-lines.js';
import type { Identity } from '../auth/identity.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import { readBody } from '../json/read-body.js';
import { checked } from '../openapi/checked.js';
import { JobRequest } from '../openapi/schemas/jobs.js';
import { bodyOf } from '../http/body-of.js';
import { FrontError, GRPC_STATUS } from '../inference/problem.js';

/** A gateway that stops does not wait for watchers: they resume at another one. */
const ENDLESS = { config: { isEndless: true } };
const KEEP_ALIVE_MS = 15_000;

type Named = FastifyRequest<{ Params: { readonly id: string } }>;

/**
 * Adds `/v1/jobs`: submit, list, watch, cancel, and the result. Jobs read and write the coordinator's files, so a caller needs
 * the right to control the cluster.
 */
export function addJobRoutes(app: FastifyInstance, { jobs }: GatewayServices): void {
  app.addHook('onRequest', (request, _reply, done) => {
    request.identity.requireControl();
    done();
  });
  app.get('/v1/jobs', async () => ({ jobs: (await jobs.client()).jobs.all() }));
  app.post('/v1/jobs', async (request, reply) => {
    const body = bodyOf(request);
    checked(JobRequest, await readBody(body), 'job');
    const id = await submit(await jobs.client(), body, request.identity);
    return reply.code(202).header('location', `/v1/jobs/${id}`).send({ id });
  });
  app.get('/v1/jobs/:id', async ({ params }: Named) => statusOf(await jobs.client(), params.id));
  app.delete('/v1/jobs/:id', async ({ params, identity }: Named, reply) => {
    const client = await jobs.client();
    await client.cancel(statusOf(client, params.id).id, identity.name);
    return reply.code(202).send({ id: params.id });
  });
  app.get('/v1/jobs/:id/events', ENDLESS, async ({ params }: Named, reply) =>
    watch(await jobs.client(), params.id, reply),
  );
  app.get('/v1/jobs/:id/result', async ({ params }: Named, reply) =>
    sendResult(await jobs.client(), params.id, reply),
  );
}

/** Submits the job of an Open Inference Protocol body whose `parameters.kind` names the kind. */
function submit(client: JobClient, body: Buffer, identity: Identity): Promise<string> {
  const { id, parameters, inputs, deadline } = oipJson.decodeRequest(body, JOBS);
  const { kind, ...own } = parameters;
  if (kind === undefined)
    throw invalidRequest('parameters.kind: expected the name of a kind of jobs, got nothing');
  const model = JOB_KINDS.some((name) => name === kind) ? own['model'] : kind;
  if (model !== undefined) identity.requireModel(model);
  return client.submit({ ...(id !== '' && { id }), kind, parameters: own, inputs, deadline });
}

function statusOf({ jobs }: JobClient, id: string): JobStatus {
  const status = jobs.get(id);
  if (status) return status;
  throw new FrontError({ http: 404, grpc: GRPC_STATUS.NOT_FOUND }, 'NOT_FOUND', unknownJob(id));
}

/** Streams each change of a job as a server-sent event, until the job ends or the caller goes away. */
function watch(client: JobClient, id: string, reply: FastifyReply): FastifyReply {
  statusOf(client, id);
  const body = new PassThrough();
  const gone = new AbortController();
  const timer = setInterval(() => body.write(':\n\n'), KEEP_ALIVE_MS);
  reply.raw.once('close', () => gone.abort());
  const onChange = (status: JobStatus): void => {
    // A slow caller misses changes, never the last one.
    if (!body.writableNeedDrain || isFinished(status))
      body.write(`event: status\ndata: ${JSON.stringify(status)}\n\n`);
  };
  void client.whenFinished(id, onChange, gone.signal).finally(() => {
    clearInterval(timer);
    body.end();
  });
  return reply.type('text/event-stream').header('cache-control', 'no-cache').send(body);
}

/** Streams the result as NDJSON; a slow caller slows the reading down. */
function sendResult(client: JobClient, id: string, reply: FastifyReply): FastifyReply {
  const status = statusOf(client, id);
  requireResult(status);
  const body = new PassThrough();
  const reading = readResult(client.kafka, client.config, status, async (outputs) => {
    if (body.destroyed) throw new Error('the caller closed the connection');
    if (!body.write(linesOf(outputs))) await Promise.race([once(body, 'drain'), once(body, 'close')]);
  });
  reading.then(
    () => body.end(),
    (error: unknown) => body.destroy(error as Error),
  );
  return reply.type('application/x-ndjson').send(body);
}
