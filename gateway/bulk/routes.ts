import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { csvRecords } from '../../schemas/csv.js';
import type { InferenceReply } from '../../schemas/generated.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import { callContextOf } from '../http/call-context.js';
import { STREAMED } from '../http/upload-limits.js';
import type { CallContext, Inferences } from '../inference/inferences.js';
import { problemOf } from '../inference/problem.js';
import { checked } from '../openapi/checked.js';
import { BulkQuery } from '../openapi/schemas/open-inference.js';
import { signatureOf, type ServedVersion } from '../models/served-models.js';
import { answerLine, errorLine, headerLine, rowOf } from './csv.js';
import { inOrder } from './in-order.js';
import { linesOf, readLine, writeAnswer, writeError, writeProgress } from './ndjson.js';
import { rowRequest } from './row-request.js';

const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';

type BulkRequest = FastifyRequest<{ Params: { readonly model: string } }>;

/** A row's answer or error. */
type Answer = { readonly reply: InferenceReply } | { readonly error: string };

/** One bulk call: who asks, and the model that answers. */
interface BulkCall {
  readonly inferences: Inferences;
  readonly served: ServedVersion;
  readonly context: CallContext;
}

/**
 * Adds `POST /v2/models/{model}/bulk`: rows as NDJSON or CSV in, answers in the same format out, streamed both ways,
 * in the order of the rows. A row that fails has its error in its place; the others are answered.
 */
export function addBulkRoutes(app: FastifyInstance, { config, inferences, models }: GatewayServices): void {
  app.addContentTypeParser([NDJSON, CSV], (_request, payload, done) => done(null, payload));
  app.post('/v2/models/:model/bulk', { config: STREAMED }, (request: BulkRequest, reply: FastifyReply) => {
    const served = models.visibleTo(request.identity).resolve(request.params.model);
    request.identity.requireModel(served.model);
    const context = callContextOf(request, reply, config.gatewayTimeoutMs);
    const call = { inferences, served, context };
    const limit = config.gatewayMaxBodyBytes;
    const type = request.headers['content-type'] ?? '';
    if (type.startsWith(CSV))
      return reply.type(CSV).send(Readable.from(answerCsv(bodyOf(request), limit, call)));
    const every = Number(checked(BulkQuery, request.query, 'query').progress);
    return reply.type(NDJSON).send(Readable.from(answerNdjson(linesOf(bodyOf(request), limit), every, call)));
  });
}

function bodyOf({ body }: FastifyRequest): Readable {
  return body instanceof Readable ? body : Readable.from([body as Buffer]);
}

async function* answerNdjson(
  lines: AsyncIterable<Buffer>,
  progressEvery: number,
  call: BulkCall,
): AsyncGenerator<string> {
  let done = 0;
  let failed = 0;
  try {
    for await (const answer of inOrder(lines, async (line) => answerRow(() => readLine(line), call))) {
      done++;
      if ('error' in answer) failed++;
      yield 'error' in answer ? writeError(done, answer.error) : writeAnswer(done, answer.reply);
      if (progressEvery > 0 && done % progressEvery === 0) yield writeProgress(done, failed);
    }
  } catch (error) {
    yield writeError(done + 1, problemOf(error).message);
  }
}

async function* answerCsv(body: Readable, maxBytes: number, call: BulkCall): AsyncGenerator<string> {
  const { inputs, outputs } = signatureOf(call.served, undefined);
  yield headerLine(outputs);
  try {
    const records = csvRecords(body, maxBytes);
    for await (const answer of inOrder(records, (record) => answerRow(() => rowOf(record, inputs), call)))
      yield 'error' in answer ? errorLine(answer.error, outputs) : answerLine(answer.reply, outputs);
  } catch (error) {
    yield errorLine(problemOf(error).message, outputs);
  }
}

async function answerRow(read: () => unknown, { inferences, served, context }: BulkCall): Promise<Answer> {
  try {
    return { reply: await inferences.infer(rowRequest(await read(), served), context) };
  } catch (error) {
    return { error: problemOf(error).message };
  }
}
