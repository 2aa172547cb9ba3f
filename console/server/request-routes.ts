import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { stateOf } from '../../operations/trace/open-request.js';
import { search, type SearchedCluster } from '../../operations/trace/search.js';
import { open, timeline } from '../../operations/trace/timeline.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { RequestView } from '../api/views.js';
import type { ClusterReader } from './live/cluster-reader.js';
import type { ConsoleServices } from './services.js';
import { Shared } from './shared.js';

const HOUR_MS = 3_600_000;
const MAX_STATES = 20;
/** Query of a request's timeline. */
export const RequestQuery = z.object({
  hours: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,4})?$/)
    .default('1')
    .transform(Number)
    .pipe(z.number().min(0.01).max(720))
    .describe('Age of the oldest records to search, 0.01 to 720; default: 1'),
});

/** Adds the timeline of one request, by correlation, request or trace id. */
export function addRequestRoutes(
  app: FastifyInstance,
  { kafka, config, requireControl }: ConsoleServices,
  reader: ClusterReader,
): void {
  const searches = new Shared();
  app.get<{ Params: { id: string }; Querystring: { hours?: string } }>(
    '/console/api/requests/:id',
    (request) => {
      requireControl(request);
      const { params, query } = request;
      const { id } = params;
      const { data, error } = RequestQuery.safeParse(query);
      if (error) throw invalidRequest(`hours: expected 0.01 to 720, got '${query.hours ?? ''}'`);
      return searches.run(`${data.hours} ${id}`, async () =>
        findRequest({ kafka, config, admin: await reader.admin() }, id, Date.now() - data.hours * HOUR_MS),
      );
    },
  );
}

/** Finds the records of a request; a view without steps if there are none. @throws KafkaError */
async function findRequest(cluster: SearchedCluster, id: string, since: number): Promise<RequestView> {
  const { matches, topics, isCut } = await search(cluster, id, { since, replyTopics: [] });
  const waiting = open(matches).slice(0, MAX_STATES);
  return {
    id,
    since,
    steps: timeline(matches),
    open: await Promise.all(waiting.map((match) => stateOf(cluster, match))),
    cut: isCut,
    topics,
  };
}
