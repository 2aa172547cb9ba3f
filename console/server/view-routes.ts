import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { topicNames } from '../../cluster/topics.js';
import type { LiveEvents } from '../api/views.js';
import { Busy, FileMissing, NotFound } from './problems.js';
import type { Sampler } from './live/sampler.js';
import { VisibleViews } from './views/visible.js';

/** Adds the JSON twins of the pages, and the event stream. Callers see the models that they may use. */
export function addViewRoutes(app: FastifyInstance, sampler: Sampler): void {
  const api = '/console/api';
  app.get(api, async (request) => overview(sampler, visibleTo(request, sampler)));
  addView(app, sampler, { name: 'nodes', read: () => sampler.nodes(), key: ({ node }) => node });
  addView(app, sampler, { name: 'models', read: () => sampler.models(), key: ({ name }) => name });
  addView(app, sampler, { name: 'topics', read: () => sampler.reader.topics(), key: ({ topic }) => topic });
  addView(app, sampler, { name: 'jobs', read: () => sampler.services.jobs(), key: ({ id }) => id });
  app.get(`${api}/waits`, (request) => see(visibleTo(request, sampler), 'waits', sampler.waits()));
  app.get(`${api}/bindings`, async (request) =>
    see(visibleTo(request, sampler), 'bindings', await sampler.bindings()),
  );
  app.get(`${api}/traffic`, () => sampler.history);
  app.get(`${api}/*`, ({ url }) => {
    throw new FileMissing(url);
  });
  app.get(`${api}/events`, { config: { isEndless: true } }, (request, reply) =>
    follow(sampler, visibleTo(request, sampler), reply),
  );
}

type ListName = 'nodes' | 'models' | 'topics' | 'jobs';

/** A view that is a list. */
interface ListView<Name extends ListName> {
  readonly name: Name;
  readonly read: () => LiveEvents[Name] | Promise<LiveEvents[Name]>;
  readonly key: (item: LiveEvents[Name][number]) => string;
}

/** Adds a list and its items. */
function addView<Name extends ListName>(
  app: FastifyInstance,
  sampler: Sampler,
  { name, read, key }: ListView<Name>,
): void {
  const list = async (request: FastifyRequest): Promise<readonly LiveEvents[Name][number][]> =>
    see(visibleTo(request, sampler), name, await read());
  const path = `/console/api/${name}`;
  app.get(path, list);
  app.get<{ Params: { item: string } }>(`${path}/:item`, async (request) => {
    const { item } = request.params;
    return found(await list(request), (one) => key(one) === item, `${name.slice(0, -1)} '${item}'`);
  });
}

/** Returns the restriction of a caller; undefined if it sees everything. */
function visibleTo(request: FastifyRequest, { services }: Sampler): VisibleViews | undefined {
  const mayUse = services.mayUse(request);
  return mayUse && new VisibleViews(mayUse, topicNames(services.config.prefix));
}

function see<Name extends keyof LiveEvents>(
  visible: VisibleViews | undefined,
  name: Name,
  view: LiveEvents[Name],
): LiveEvents[Name] {
  return visible ? visible.of(name, view) : view;
}

async function overview(sampler: Sampler, visible: VisibleViews | undefined): Promise<object> {
  const { outage } = sampler.cluster();
  return {
    cluster: sampler.cluster(),
    nodes: see(visible, 'nodes', sampler.nodes()),
    models: see(visible, 'models', sampler.models()),
    waits: see(visible, 'waits', sampler.waits()),
    topics: outage ? null : see(visible, 'topics', await sampler.reader.topics()),
    traffic: sampler.history,
  };
}

function found<T>(items: readonly T[], isWanted: (item: T) => boolean, name: string): T {
  const item = items.find(isWanted);
  if (item === undefined) throw new NotFound(`${name} not found`);
  return item;
}

/** Answers with the event stream that all pages share. */
function follow(sampler: Sampler, visible: VisibleViews | undefined, reply: FastifyReply): FastifyReply {
  if (sampler.isClosed) throw new Busy('the gateway is stopping');
  if (sampler.viewers.isFull) throw new Busy('too many pages follow this gateway; close one or use the JSON');
  sampler.publish();
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  sampler.viewers.add(reply.raw, sampler.history, visible);
  sampler.publish();
  return reply;
}
