import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readDeadLetterTopics } from '../../../operations/dead-letters/read-topics.js';
import type { DeadLetterCluster } from '../../../operations/dead-letters/scan.js';
import type { DeadLetterOutcome } from '../../api/views.js';
import type { ClusterReader } from '../live/cluster-reader.js';
import { Busy, Forbidden } from '../problems.js';
import { readJson } from '../read-json.js';
import { Shared } from '../shared.js';
import type { ConsoleServices } from '../services.js';
import { dropLetters, replayLetters } from './change-letters.js';
import { listLetters, showLetter } from './read-letters.js';
import { readCommand, readListQuery, type LetterCommand } from './selection.js';

/** Time after which a replay or a drop stops and reports what it has done. */
const CHANGE_LIMIT_MS = 300_000;

type Change = (
  cluster: DeadLetterCluster,
  command: LetterCommand,
  signal: AbortSignal,
) => Promise<DeadLetterOutcome>;
type PlaceRequest = FastifyRequest<{ Params: { topic: string; partition: string; offset: string } }>;

/** Adds dead letters: the list, one with its bytes, replay and drop. */
export function addDeadLetterRoutes(
  app: FastifyInstance,
  services: ConsoleServices,
  reader: ClusterReader,
): void {
  const { kafka, config } = services;
  const path = '/console/api/dead-letters';
  const lists = new Shared();
  const cluster = async (): Promise<DeadLetterCluster> => {
    const topics = await readDeadLetterTopics(kafka, config, true);
    return { kafka, admin: await reader.admin(), config, topics };
  };
  app.get(path, (request) => {
    services.requireControl(request);
    const wanted = readListQuery(request.query);
    return lists.run(JSON.stringify(wanted), async () => listLetters(await cluster(), wanted));
  });
  app.get(`${path}/:topic/:partition/:offset`, async (request: PlaceRequest) => {
    services.requireControl(request);
    const { params } = request;
    const place = { partition: Number(params.partition), offset: Number(params.offset) };
    return showLetter(await cluster(), { topic: params.topic, ...place });
  });
  const changes = { replay: replayLetters, drop: dropLetters } satisfies Record<string, Change>;
  let isChanging = false;
  for (const [name, change] of Object.entries<Change>(changes))
    app.post(`${path}/${name}`, async (request, reply) => {
      const command = readCommand(readJson(request.body));
      if (command.dryRun) services.requireControl(request);
      else requireChange(request, services);
      if (isChanging) throw new Busy('another replay or drop is running; try again when it has ended');
      isChanging = true;
      try {
        return await change(await cluster(), command, stopSignal(reply));
      } finally {
        isChanging = false;
      }
    });
}

function requireChange(request: FastifyRequest, { config, requireControl }: ConsoleServices): void {
  if (config.consoleReadOnly) throw new Forbidden('the console is read-only (PARTITURA_CONSOLE_READ_ONLY)');
  requireControl(request);
}

/** Returns a signal that aborts when the caller goes away or the time is up. */
function stopSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort(new Error('the caller closed the connection')));
  return AbortSignal.any([gone.signal, AbortSignal.timeout(CHANGE_LIMIT_MS)]);
}
