import type { FastifyInstance, FastifyReply } from 'fastify';
import { Busy, FileMissing, NotFound } from './problems.js';
import type { Sampler } from './live/sampler.js';

/** Adds the JSON twins of the pages, and the event stream. */
export function addViewRoutes(app: FastifyInstance, sampler: Sampler): void {
  const api = '/console/api';
  app.get(api, async () => overview(sampler));
  app.get(`${api}/nodes`, () => sampler.nodes());
  app.get<{ Params: { node: string } }>(`${api}/nodes/:node`, ({ params: { node } }) =>
    found(sampler.nodes(), (one) => one.node === node, `node '${node}'`),
  );
  app.get(`${api}/models`, () => sampler.models());
  app.get<{ Params: { model: string } }>(`${api}/models/:model`, ({ params: { model } }) =>
    found(sampler.models(), (one) => one.name === model, `model '${model}'`),
  );
  app.get(`${api}/waits`, () => sampler.waits());
  app.get(`${api}/topics`, () => sampler.reader.topics());
  app.get<{ Params: { topic: string } }>(`${api}/topics/:topic`, async ({ params: { topic } }) =>
    found(await sampler.reader.topics(), (one) => one.topic === topic, `topic '${topic}'`),
  );
  app.get(`${api}/bindings`, () => sampler.bindings());
  app.get(`${api}/traffic`, () => sampler.history);
  app.get(`${api}/*`, ({ url }) => {
    throw new FileMissing(url);
  });
  app.get(`${api}/events`, { config: { isEndless: true } }, (_request, reply) => follow(sampler, reply));
}

async function overview(sampler: Sampler): Promise<object> {
  const { outage } = sampler.cluster();
  return {
    cluster: sampler.cluster(),
    nodes: sampler.nodes(),
    models: sampler.models(),
    waits: sampler.waits(),
    topics: outage ? null : await sampler.reader.topics(),
    traffic: sampler.history,
  };
}

function found<T>(items: readonly T[], isWanted: (item: T) => boolean, name: string): T {
  const item = items.find(isWanted);
  if (item === undefined) throw new NotFound(`${name} not found`);
  return item;
}

/** Answers with the event stream that all pages share. */
function follow(sampler: Sampler, reply: FastifyReply): FastifyReply {
  if (sampler.isClosed) throw new Busy('the gateway is stopping');
  if (sampler.viewers.isFull) throw new Busy('too many pages follow this gateway; close one or use the JSON');
  sampler.publish();
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  sampler.viewers.add(reply.raw, sampler.history);
  sampler.publish();
  return reply;
}
