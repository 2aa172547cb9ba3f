import { parseArgs } from 'node:util';
import { measureEngine } from './engine-only.js';
import { measureFronts } from './fronts/fronts.js';
import { measureGrowth } from './growth/growth.js';
import { GROWTHS } from './growth/index.js';
import { KAFKA_CLIENTS } from '../core/config/kafka.js';
import { BenchHarness, type Prepared } from './harness.js';
import { soak, type MemoryResult } from './memory/soak.js';
import { measurePath } from './path.js';
import { compareCompetitors, type Plan } from './competitors.js';
import { knownFaults, measureOutages, type OutageResult } from './outages.js';
import { measureQueue } from './queue/queue.js';
import { measureRebalances } from './rebalance.js';
import { record, recordPart } from './report.js';
import { SYSTEMS } from './systems/index.js';
import { MODELS } from './workloads.js';

const USAGE = `npm run bench [-- <part>... [options]]

Without arguments, all parts are measured and recorded in bench/results/. With arguments, only the named parts:

  peers      all systems compared; or the names of some: ${SYSTEMS.map(({ name }) => name).join(', ')}
  alone      the models without Kafka
  rebalance  time without service when a node joins, leaves or dies
  outages    time without service by fault of a node, line or broker, with the theoretical floor;
             or some of: ${knownFaults()
               .map(({ name }) => JSON.stringify(name))
               .join(', ')}
  path       overhead of the request path in a node
  fronts     the gateway in each protocol beside Kafka, and MLServer over HTTP and gRPC; needs h2load
  queue      delivery as a queue beside ordered delivery and one ideal queue: throughput, and nodes of uneven speed
  growth     scaling of costs; or some of: ${GROWTHS.map(({ name }) => name).join(', ')}
  memory     memory of nodes over time, in every codec, while nodes are killed; 20 minutes per Kafka client

  --client=kafkajs                                   one client only, for memory and outages
  --minutes=20                                       duration of memory
  --model=digits --inflight=1,64 --rows=1 --runs=3   part of the table of peers
`;

const full = { inflight: [1, 64, 1_000, 10_000], rows: [1, 64], runs: 1, warmUpMs: 1_500, measureMs: 2_500 };
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const { values, positionals: named } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: '' },
    models: { type: 'string', default: '' },
    model: { type: 'string' },
    inflight: { type: 'string' },
    rows: { type: 'string' },
    runs: { type: 'string' },
    minutes: { type: 'string', default: '20' },
    client: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const clients = KAFKA_CLIENTS.filter((name) => values.client === undefined || name === values.client);
const prepared: Prepared = { python: values.python, modelsFolder: values.models };

/** Returns all members of a group if the group or nothing is named, otherwise the named members. */
function chosen<T extends { readonly name: string }>(group: string, members: readonly T[]): readonly T[] {
  if (named.length === 0 || named.includes(group)) return members;
  return members.filter(({ name }) => named.includes(name));
}

async function peers(): Promise<void> {
  const systems = chosen('peers', SYSTEMS);
  if (systems.length === 0) return;
  const numbers = (text: string | undefined): number[] | undefined => text?.split(',').map(Number);
  const models = MODELS.filter((name) => values.model === undefined || name === values.model);
  const plan: Plan = {
    ...full,
    systems,
    inflight: numbers(values.inflight) ?? full.inflight,
    rows: numbers(values.rows) ?? full.rows,
    runs: Number(values.runs ?? full.runs),
  };
  const harness = await BenchHarness.open(prepared);
  try {
    for (const model of models) {
      const results = await compareCompetitors(harness, model, plan, print);
      if (isWhole(plan)) record(`peers-${model}`, plan, results);
    }
  } finally {
    await harness.close();
  }
}

/** Returns true if the plan covers the whole table: partial results must not be mistaken for those of one run. */
function isWhole({ systems, inflight, rows }: Plan): boolean {
  return systems.length === SYSTEMS.length && inflight === full.inflight && rows === full.rows;
}

async function alone(): Promise<void> {
  if (chosen('alone', [{ name: 'alone' }]).length === 0) return;
  record('alone', {}, await measureEngine(prepared.modelsFolder, print));
}

async function path(): Promise<void> {
  if (chosen('path', [{ name: 'path' }]).length === 0) return;
  const micros = await measurePath(prepared.modelsFolder);
  print(`${micros.toFixed(1)} microseconds per request in the node itself`);
  record('path', {}, [{ micros }]);
}

async function rebalance(): Promise<void> {
  if (chosen('rebalance', [{ name: 'rebalance' }]).length === 0) return;
  record('rebalance', {}, await measureRebalances(prepared, print));
}

async function memory(): Promise<void> {
  if (chosen('memory', [{ name: 'memory' }]).length === 0) return;
  const results: MemoryResult[] = [];
  for (const client of clients) {
    const result = await soak(client, Number(values.minutes), (line) =>
      print(`${client.padEnd(14)} ${line}`),
    );
    const { baseMiB, limitMiB, mostMiB, requests, unanswered, refused } = result;
    print(
      `${client.padEnd(14)} peak ${mostMiB} MiB (base ${baseMiB}, limit ${limitMiB}); ${requests} requests, ${unanswered} unanswered, ${refused} refused`,
    );
    results.push(result);
  }
  if (values.client === undefined) record('memory', { minutes: Number(values.minutes) }, results);
}

async function outages(): Promise<void> {
  const all = knownFaults();
  const faults = chosen('outages', all);
  if (faults.length === 0) return;
  const results = await measureOutages(faults, clients, print);
  const row = ({ client, fault }: OutageResult): string => `${client} ${fault}`;
  // Each fault has its own broker and nodes, so rows of several runs can be combined.
  if (faults.length === all.length && clients.length === KAFKA_CLIENTS.length) record('outages', {}, results);
  else recordPart('outages', results, row);
}

async function fronts(): Promise<void> {
  if (chosen('fronts', [{ name: 'fronts' }]).length === 0) return;
  record('fronts', {}, await measureFronts(prepared, print));
}

async function queue(): Promise<void> {
  if (chosen('queue', [{ name: 'queue' }]).length === 0) return;
  record('queue', {}, await measureQueue(prepared, print));
}

async function growth(): Promise<void> {
  const growths = chosen('growth', GROWTHS);
  for (const one of growths) record(`growth-${one.name}`, {}, await measureGrowth([one], prepared, print));
}

if (values.help) print(USAGE);
else {
  await path();
  await alone();
  await peers();
  await rebalance();
  await outages();
  await fronts();
  await queue();
  await growth();
  await memory();
  process.exit(0);
}
