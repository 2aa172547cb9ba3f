import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { checkConfig, toEnvironment, type Config } from '../core/config.js';
import { createKafkaJsClient } from '../core/kafka/kafkajs/client.js';
import type { KafkaClient } from '../core/kafka/port.js';
import { createLogger } from '../core/log.js';
import { modelTopics } from '../core/partitura-topics.js';
import { topicNames } from '../core/topics.js';
import { startCluster, type LocalCluster } from '../deploy/local/cluster.js';
import { loadDigits, loadExpectations, PIXELS } from '../examples/digits/dataset.js';
import { decodeReply, encodeRequest } from '../schemas/framing/single-object.js';
import { runLoad, type LoadResult } from './load.js';
import { processorSeconds } from './processor-time.js';

/**
 * `npm run bench`: the whole path against a raw echo of the same records, in the same run, in pairs.
 * One node, one echo, one broker, one generator, all on this machine. Medians of three runs are printed
 * and recorded in bench/results/.
 */
const IN_FLIGHT = [1, 64, 1_000];
const RUNS = 3;
const WARM_UP_MS = 3_000;
const MEASURE_MS = 5_000;
const PARTITIONS = 4;
const ECHO_MODEL = 'echo';
const TOLERANCE = 1e-5;

interface Measured extends LoadResult {
  /** Processor seconds of node or echo for 1,000 requests. */
  readonly processorPer1000: number;
}

interface System {
  readonly name: 'echo' | 'partitura';
  readonly model: string;
  readonly pid: number;
}

interface Row {
  readonly inflight: number;
  readonly echo: Measured;
  readonly partitura: Measured;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const base = checkConfig({
    partitions: PARTITIONS,
    models: `${root}examples/models`,
    prefix: 'bench',
    logLevel: 'error',
  });
  const cluster = await startCluster({ nodes: 1, config: base, broker: {}, log: () => undefined });
  const config = { ...base, brokers: [...cluster.brokers] };
  let echo: ChildProcess | undefined;
  try {
    const kafka = createKafkaJsClient(config, 'bench', createLogger('bench', 'error'));
    await createEchoTopics(kafka, config);
    echo = await startEcho(config);
    const rows = await measureAll(kafka, config, cluster, echo);
    report(rows);
  } finally {
    echo?.kill();
    await cluster.stop();
  }
}

async function createEchoTopics(kafka: KafkaClient, config: Config): Promise<void> {
  const admin = kafka.admin();
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

async function measureAll(
  kafka: KafkaClient,
  config: Config,
  cluster: LocalCluster,
  echo: ChildProcess,
): Promise<Row[]> {
  const systems: System[] = [
    { name: 'echo', model: ECHO_MODEL, pid: echo.pid ?? 0 },
    { name: 'partitura', model: 'digits', pid: cluster.nodes[0]?.pid ?? 0 },
  ];
  for (const system of systems) await measure(kafka, config, system, IN_FLIGHT.at(-1) ?? 1);
  const rows: Row[] = [];
  for (const inflight of IN_FLIGHT) {
    const runs: Record<System['name'], Measured[]> = { echo: [], partitura: [] };
    for (let run = 0; run < RUNS; run++) {
      for (const system of systems) runs[system.name].push(await measure(kafka, config, system, inflight));
    }
    rows.push({ inflight, echo: median(runs.echo), partitura: median(runs.partitura) });
    say(describe(rows.at(-1) as Row));
  }
  return rows;
}

async function measure(
  kafka: KafkaClient,
  config: Config,
  system: System,
  inflight: number,
): Promise<Measured> {
  const topics = topicNames(config.prefix);
  const before = processorSeconds(system.pid);
  const startedAt = performance.now();
  const result = await runLoad(kafka, {
    requestTopic: topics.requests(system.model),
    replyTopic: topics.replies(system.model),
    partitions: PARTITIONS,
    inflight,
    warmUpMs: WARM_UP_MS,
    measureMs: MEASURE_MS,
    values: requests(),
    isRight:
      system.name === 'echo' ? (index, value) => value.equals(requests()[index] as Buffer) : isRightReply,
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const loadedShare = (WARM_UP_MS + MEASURE_MS) / 1_000 / seconds;
  const requestsInAll = result.requestsPerSecond * seconds * loadedShare;
  return { ...result, processorPer1000: ((processorSeconds(system.pid) - before) / requestsInAll) * 1_000 };
}

const samples = loadExpectations().samples;
let encoded: Buffer[] | undefined;

/** The sample rows, for which the training script wrote down what the model answers. */
function requests(): Buffer[] {
  encoded ??= samples.map(({ row }) => {
    const pixels = loadDigits().pixels[row] as Float32Array;
    const data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    const inputs = [{ name: 'pixels', datatype: 'FP32', shape: [1, PIXELS], data }];
    return encodeRequest({
      id: `row-${row}`,
      model: 'digits',
      modelVersion: null,
      inputs,
      outputs: [],
      parameters: {},
      deadline: null,
    });
  });
  return encoded;
}

function isRightReply(index: number, value: Buffer): boolean {
  const { outputs } = decodeReply(value);
  const data = outputs[0]?.data;
  const expected = samples[index]?.probabilities ?? [];
  return (
    data !== undefined &&
    expected.every(
      (probability, position) => Math.abs(data.readFloatLE(position * 4) - probability) < TOLERANCE,
    )
  );
}

function median(runs: readonly Measured[]): Measured {
  const middle = (pick: (run: Measured) => number): number =>
    runs.map(pick).sort((a, b) => a - b)[Math.floor(runs.length / 2)] ?? NaN;
  const sum = (pick: (run: Measured) => number): number => runs.reduce((total, run) => total + pick(run), 0);
  return {
    requestsPerSecond: middle((run) => run.requestsPerSecond),
    p50Ms: middle((run) => run.p50Ms),
    p99Ms: middle((run) => run.p99Ms),
    processorPer1000: middle((run) => run.processorPer1000),
    duplicates: sum((run) => run.duplicates),
    wrong: sum((run) => run.wrong),
    lost: sum((run) => run.lost),
  };
}

function describe({ inflight, echo, partitura }: Row): string {
  const cell = (
    name: string,
    { requestsPerSecond, p50Ms, p99Ms, processorPer1000, duplicates, wrong, lost }: Measured,
  ): string =>
    `  ${name.padEnd(10)} ${Math.round(requestsPerSecond).toLocaleString('en').padStart(8)}/s  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms  ` +
    `${processorPer1000.toFixed(3)} processor s per 1,000  (lost ${lost}, twice ${duplicates}, wrong ${wrong})`;
  const throughput = (partitura.requestsPerSecond / echo.requestsPerSecond).toFixed(2);
  const latency = (partitura.p50Ms / echo.p50Ms).toFixed(2);
  return [
    `W = ${inflight}`,
    cell('echo', echo),
    cell('partitura', partitura),
    `  ratio      throughput ${throughput}, p50 ${latency}`,
  ].join('\n');
}

function report(rows: readonly Row[]): void {
  const environment = {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    processor: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kafkaClient: 'kafkajs 2.2.4',
    settings: { runs: RUNS, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, partitions: PARTITIONS },
  };
  const folder = `${root}bench/results`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/echo.json`, `${JSON.stringify({ environment, rows }, null, 2)}\n`);
}

await main();
