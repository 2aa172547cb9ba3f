/**
 * Serves the models that `reference.py` has written, and compares their replies with those of ONNX Runtime.
 *
 *     node dist/integration-tests/compatibility/main.js REFERENCE PAGE
 *
 * Writes PAGE in Markdown, and the verdict on each model to REFERENCE/result.json. The exit code is 1 if a reply was wrong
 * or missing, or a node died.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafkaClient } from '../../kafka/client.js';
import { checkConfig, type Config } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { readNodes } from '../../cluster/node-directory.js';
import { topicNames } from '../../cluster/topics.js';
import { startLocalBroker, type LocalBroker } from '../../local-cluster/broker.js';
import { superviseNode } from '../../local-cluster/supervised-process.js';
import { decodeReply } from '../../schemas/framing/single-object.js';
import type { InferenceReply, ModelVersionStatus } from '../../schemas/generated.js';
import { RawClient } from '../support/raw-client.js';
import { readCases, type Case } from './cases.js';
import { differenceOf } from './compare.js';
import type { ModelVerdict, Verdict } from './model-verdict.js';
import { renderPage } from './page.js';

/** Models per node. */
const AT_ONCE = 100;
/** Some of the requests have several megabytes. */
const MAX_RECORD_BYTES = 8_000_000;
const REPLY_LIMIT_MS = 180_000;

const [reference = '', page = ''] = process.argv.slice(2);

async function main(): Promise<number> {
  const cases = await readCases(join(reference, 'cases'));
  const broker = await startLocalBroker({ heapMb: 1_024 });
  const verdicts: ModelVerdict[] = [];
  let deaths = 0;
  try {
    for (let begin = 0; begin < cases.length; begin += AT_ONCE) {
      const some = cases.slice(begin, begin + AT_ONCE);
      const found = await verdictsOf(broker, some, `c${begin}`);
      verdicts.push(...found.verdicts);
      deaths += found.deaths;
      process.stderr.write(`${verdicts.length} of ${cases.length}: ${JSON.stringify(countsOf(verdicts))}\n`);
    }
  } finally {
    await broker.stop();
  }
  await writeFile(join(reference, 'result.json'), JSON.stringify({ deaths, judged: verdicts }, null, 1));
  await writeFile(page, renderPage(verdicts, deaths));
  const isBad = verdicts.some(({ verdict }) => verdict === 'wrong' || verdict === 'unanswered');
  return isBad || deaths > 0 ? 1 : 0;
}

/** Runs one node with some of the models, in its own cluster. */
async function verdictsOf(
  broker: LocalBroker,
  cases: readonly Case[],
  prefix: string,
): Promise<{ verdicts: ModelVerdict[]; deaths: number }> {
  const models = await mkdtemp(join(tmpdir(), 'partitura-compatibility-'));
  let deaths = 0;
  try {
    const asked = cases.filter(({ outputs }) => outputs !== null);
    for (const { model } of asked)
      await cp(join(reference, 'models', model), join(models, model), { recursive: true });
    const config = checkConfig({
      brokers: broker.bootstrap,
      prefix,
      models,
      partitions: 1,
      maxRecordBytes: MAX_RECORD_BYTES,
      logLevel: 'error',
    });
    const node = await superviseNode(config, { onRestart: () => deaths++ });
    try {
      const statuses = await statusesOf(config);
      const replies = await ask(
        config,
        asked.filter(({ model }) => statuses.get(model)?.state === 'AVAILABLE'),
      );
      return {
        verdicts: cases.map((one) => verdictOn(one, statuses.get(one.model), replies.get(one.model))),
        deaths,
      };
    } finally {
      await node.stop();
    }
  } finally {
    await rm(models, { recursive: true, force: true });
  }
}

async function statusesOf(config: Config): Promise<Map<string, ModelVersionStatus>> {
  const kafka = createKafkaClient(config, 'compatibility', createLogger('compatibility', 'error'));
  const nodes = await readNodes(kafka, config, Date.now());
  return new Map(nodes.flatMap(({ models }) => models).map((status) => [status.model, status]));
}

/** Sends one request to each model. @returns the replies within the time limit, by model */
async function ask(config: Config, cases: readonly Case[]): Promise<Map<string, InferenceReply>> {
  const kafka = createKafkaClient(config, 'compatibility', createLogger('compatibility', 'error'));
  const rawClient = await RawClient.start(kafka, `${config.prefix}.answers.replies`);
  try {
    const topics = topicNames(config.prefix);
    const correlations = new Map(
      cases.map(({ model, inputs }) => [
        model,
        rawClient.request(topics.requests(model), { model, inputs: [...(inputs ?? [])] }),
      ]),
    );
    await rawClient.answered([...correlations.values()], REPLY_LIMIT_MS).catch((error: Error) => {
      process.stderr.write(`${error.message}\n`);
    });
    return new Map(
      [...correlations].flatMap(([model, correlation]) => {
        const [reply] = rawClient.replies.get(correlation) ?? [];
        return reply?.value ? [[model, decodeReply(reply.value)] as const] : [];
      }),
    );
  } finally {
    await rawClient.close();
  }
}

function verdictOn(
  { model, outputs, random, reason }: Case,
  status: ModelVersionStatus | undefined,
  reply: InferenceReply | undefined,
): ModelVerdict {
  const verdict = (verdict: Verdict, why: string | null): ModelVerdict => ({
    model,
    verdict,
    reason: why,
  });
  if (!outputs) return verdict('no-reference', reason);
  if (status?.state !== 'AVAILABLE')
    return verdict('refused-at-load', status?.message ?? 'not listed by the node');
  if (!reply) return verdict('unanswered', null);
  if (reply.error) return verdict('refused-at-request', reply.error.message);
  const difference = differenceOf(reply.outputs, outputs, random);
  return difference ? verdict('wrong', difference) : verdict('served', null);
}

function countsOf(verdicts: readonly ModelVerdict[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verdict } of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}

process.exit(await main());
