import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { checkConfig, toEnvironment, type Config } from '../core/config.js';
import { createKafkaClient } from '../core/kafka/client.js';
import { createLogger } from '../core/log.js';
import { modelTopics } from '../core/partitura-topics.js';
import { topicNames } from '../core/topics.js';
import { startCluster } from '../deploy/local/cluster.js';
import { Generator } from './generator/generator.js';
import { processorSeconds } from './processor-time.js';
import { describe, median, record, type Measured, type Row } from './report.js';
import { digits, echoed, type Workload } from './workload.js';

/**
 * `npm run bench`: the whole path against a raw echo of the same records, in the same run, in turns. One node, one
 * echo, one broker, one generator, all on this machine. Medians are printed and recorded in bench/results/.
 */
const IN_FLIGHT = [1, 64, 1_000];
const ECHO_MODEL = 'echo';
const SETTINGS = { runs: 3, warmUpMs: 2_000, measureMs: 5_000, partitions: 4 };

interface System {
  readonly name: 'echo' | 'partitura';
  readonly model: string;
  readonly workload: Workload;
  readonly pid: number;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

async function main(): Promise<void> {
  const generator = new Generator();
  const models = `${root}examples/models`;
  const base = checkConfig({
    partitions: SETTINGS.partitions,
    models,
    prefix: 'bench',
    logLevel: 'error',
    intraOpThreads: 1,
    kafkaClient: process.env['KAFKA_CLIENT'],
  });
  const cluster = await startCluster({ nodes: 1, config: base, broker: {}, log: () => undefined });
  const config = { ...base, brokers: [...cluster.brokers] };
  let echo: ChildProcess | undefined;
  try {
    await createEchoTopics(config);
    echo = await startEcho(config);
    const rows = await measureAll(generator, config, [
      { name: 'echo', model: ECHO_MODEL, workload: echoed, pid: echo.pid ?? 0 },
      { name: 'partitura', model: 'digits', workload: digits, pid: cluster.nodes[0]?.pid ?? 0 },
    ]);
    record(root, rows, config.kafkaClient, SETTINGS);
  } finally {
    echo?.kill();
    await cluster.stop();
    generator.close();
  }
}

async function createEchoTopics(config: Config): Promise<void> {
  const admin = createKafkaClient(config, 'bench', createLogger('bench', 'error')).admin();
  await admin.connect();
  await admin.createTopics(modelTopics(ECHO_MODEL, config));
  await admin.close();
}

function startEcho(config: Config): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./echo.js', import.meta.url)), {
    env: { ...process.env, ...toEnvironment(config) },
  });
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`the echo ended with exit code ${code}`)));
  });
}

async function measureAll(generator: Generator, config: Config, systems: readonly System[]): Promise<Row[]> {
  for (const system of systems) await measure(generator, config, system, IN_FLIGHT.at(-1) ?? 1);
  const rows: Row[] = [];
  for (const inflight of IN_FLIGHT) {
    const runs: Record<System['name'], Measured[]> = { echo: [], partitura: [] };
    for (let run = 0; run < SETTINGS.runs; run++) {
      for (const system of systems)
        runs[system.name].push(await measure(generator, config, system, inflight));
    }
    const row = { inflight, echo: median(runs.echo), partitura: median(runs.partitura) };
    process.stdout.write(`${describe(row)}\n`);
    rows.push(row);
  }
  return rows;
}

async function measure(
  generator: Generator,
  config: Config,
  { model, workload, pid }: System,
  inflight: number,
): Promise<Measured> {
  const topics = topicNames(config.prefix);
  const before = processorSeconds(pid);
  const result = await generator.run({
    ...SETTINGS,
    ...workload,
    brokers: config.brokers,
    requestTopic: topics.requests(model),
    replyTopic: topics.replies(model),
    inflight,
  });
  const thousands = result.requests / 1_000;
  return {
    ...result,
    processorPer1000: (processorSeconds(pid) - before) / thousands,
    generatorPer1000: result.processorSeconds / thousands,
  };
}

await main();
