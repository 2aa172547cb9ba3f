import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineOnlyResult } from './engine-only.js';
import type { FrontResult } from './fronts/fronts.js';
import type { GrowthResult } from './growth/growth.js';
import { targets } from './targets.js';
import type { Cell } from './measure.js';
import type { MemoryResult } from './memory/soak.js';
import type { CompetitorResult } from './competitors.js';
import type { OutageResult } from './outages.js';
import type { RebalanceResult } from './rebalance.js';
import { MODELS, type ModelName } from './workloads.js';

interface Recorded<T> {
  readonly environment: Readonly<Record<string, unknown>>;
  readonly results: readonly T[];
}

const GROWTHS: readonly (readonly [name: string, title: string, text: string])[] = [
  [
    'nodes',
    'Nodes',
    'A simulated model that takes 20 ms per batch of up to 8 rows; 16 partitions, 512 requests in flight.',
  ],
  [
    'partitions',
    'Partitions',
    'The digits model on one node, 1,000 requests in flight, with partitions chosen by librdkafka.',
  ],
  [
    'backlog',
    'Backlog',
    'Requests for the digits model queued before the first node starts; memory is the peak resident memory of the node.',
  ],
  [
    'models',
    'Models on one node',
    'Copies of the digits model, each with its own topics and group; one of them receives requests.',
  ],
  ['payload', 'Payload', 'Bytes of the request tensor; the reply is small and the engine takes no time.'],
];

const frontsText =
  'The digits model on one node behind one gateway, each connection with one request in flight; 3,900 rows are a tensor of 1 MB. `Kafka` is the same node in the same run without the gateway, with as many requests in flight. `bare node:http` only reads the body and answers a constant: the most that a process of Node reaches here. Requests/s · p50 ms · p99 ms, and processor seconds per 1,000 requests; h2load, which shares the two cores, is not counted.';

/**
 * Renders docs/BENCHMARKS.md from the files in bench/results/.
 * @param client default client of nodes
 */
export function renderPage(folder: string, client: string): string {
  const peers = MODELS.map((model) => read<CompetitorResult>(folder, `peers-${model}`));
  const results = peers.flatMap((one) => one.results);
  const alone = read<EngineOnlyResult>(folder, 'alone');
  const fronts = read<FrontResult>(folder, 'fronts').results;
  const path = read<{ micros: number }>(folder, 'path');
  const { date, cores, processor, memoryGiB, node } = peers[0]?.environment ?? {};
  const sections = [
    '# Benchmarks',
    'Generated from `bench/results/`, which `npm run bench` writes; do not edit. `npm run bench -- --help` lists its parts.',
    `Measured on ${text(date)}: ${text(cores)} cores (${text(processor)}), ${text(memoryGiB)} GiB, Node ${text(node)}, one Kafka 4.3.0 broker, one load generator in C and one system at a time on the same machine. The value of every reply is checked; late, duplicate and wrong replies are reported if there were any. Results vary by 15 to 40 % between days: compare only figures of one run.`,
    '## Targets',
    table(
      ['target', 'expected', 'measured', ''],
      targets({ peers: results, alone: alone.results, fronts, client }).map(
        ({ what, asked, reached, isMet }) => [
          what,
          asked,
          reached === undefined ? 'not measured' : reached.toFixed(2),
          isMet ? 'met' : '**missed**',
        ],
      ),
    ),
    '## Comparison',
    'Requests/s · p50 ms · p99 ms. An echo returns the request, which is larger than a reply: 256 bytes of tensor per row instead of 40. W is the number of requests in flight; each reply triggers the next request. Producers linger for a millisecond, except at W = 1 and unless noted otherwise. Nothing is tuned for a workload: nodes use their defaults. `python` polls up to 256 records for 5 ms, as is common in consumers; `python-no-waits` polls without waiting. MLServer 1.7.1 uses adaptive batching with 64 rows or 5 ms.',
    ...MODELS.flatMap((model) => sideBySide(results, model)),
    '## Processor time',
    'Processor seconds per 1,000 requests of one row, for system / broker / generator, and the requests per second at which these three would use all cores of this machine.',
    processorTable(results),
    '## The model alone',
    'Rows per second in a process that does nothing else, by batch size.',
    aloneTable(alone.results),
    '## Overhead of the request path',
    `${(path.results[0]?.micros ?? NaN).toFixed(1)} microseconds of processor time per request, including garbage collection, for all of a node except the Kafka client and the engine.`,
    '## REST and gRPC',
    frontsText,
    frontTable(fronts),
    '## Time without service',
    'The longest time without any reply when a node joins two others, leaves or is killed, with 64 requests in flight on all partitions. A killed node is detected after the session timeout: 10 s by default, and with KIP-848 the setting of the broker, 45 s by default.',
    rebalanceTable(read<RebalanceResult>(folder, 'rebalance').results),
    '## Time without service by fault',
    'The longest time that any of 50 requests per second, on 4 partitions, waited for its reply during a fault of one of two nodes, its connection or the broker. The floor is unavoidable: the session timeout of 10 s until a member is considered dead, or the time until the broker is available again. With three brokers, a probe measures when all partitions accept writes again: the session timeout of brokers, 3 s, and up to 1.6 s more on a busy machine. Crash: a request to another model of the same nodes terminates the process with SIGFPE, and nodes are restarted; the dead member blocks its group until its session expires. Nodes stopped with SIGKILL or SIGTERM are not restarted. Requests stay in the log meanwhile; none is lost.',
    outageTable(read<OutageResult>(folder, 'outages').results),
    ...memorySection(read<MemoryResult>(folder, 'memory').results),
    '## Scaling',
    ...GROWTHS.flatMap(([name, title, what]) => growthSection(folder, name, title, what)),
  ];
  return `${sections.join('\n\n')}\n`;
}

function read<T>(folder: string, name: string): Recorded<T> {
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) return { environment: {}, results: [] };
  return JSON.parse(readFileSync(file, 'utf8')) as Recorded<T>;
}

function frontTable(results: readonly FrontResult[]): string {
  const lines = results.map((result) => {
    const { system, protocol, rows, connections, requestsPerSecond, p50Ms, p99Ms, failed } = result;
    const used = Object.entries(result.processorPer1000).map(
      ([name, value]) => `${name} ${value.toFixed(3)}`,
    );
    const troubles = failed === 0 ? '' : ` (${whole(failed)} failed)`;
    const speed = `${whole(requestsPerSecond)} · ${short(p50Ms)} · ${short(p99Ms)}${troubles}`;
    return [system, protocol, whole(rows), whole(connections), speed, used.join(', ')];
  });
  return table(['', 'protocol', 'rows', 'connections', 'measured', 'processor'], lines);
}

function sideBySide(results: readonly CompetitorResult[], model: ModelName): string[] {
  const rowCounts = [...new Set(results.map(({ rows }) => rows))];
  return rowCounts.flatMap((rows) => {
    const own = results.filter(
      (result) => result.rows === rows && (result.model === model || result.system.startsWith('echo-')),
    );
    const columns = columnsOf(own);
    const systems = [...new Set(own.map(({ system }) => system))];
    const lines = systems.map((system) => [
      `\`${system}\``,
      ...columns.map((column) =>
        figures(own.find((result) => result.system === system && isIn(column, result))),
      ),
    ]);
    return [
      `### ${model}, ${rows} ${rows === 1 ? 'row' : 'rows'} per record`,
      table(['', ...columns.map(heading)], lines),
    ];
  });
}

type Column = Pick<Cell, 'inflight' | 'lingers'>;

function columnsOf(results: readonly Column[]): Column[] {
  const keys = new Map(
    results.map(({ inflight, lingers }) => [`${inflight} ${lingers}`, { inflight, lingers }]),
  );
  return [...keys.values()].sort((a, b) => a.inflight - b.inflight || Number(b.lingers) - Number(a.lingers));
}

function isIn({ inflight, lingers }: Column, result: Column): boolean {
  return result.inflight === inflight && result.lingers === lingers;
}

function heading({ inflight, lingers }: Column): string {
  return `W = ${whole(inflight)}${lingers || inflight === 1 ? '' : ', no linger'}`;
}

function figures(result: CompetitorResult | undefined): string {
  if (!result) return '';
  const { requestsPerSecond, p50Ms, p99Ms, lost, duplicates, wrong } = result.measured;
  const troubles = Object.entries({ late: lost, duplicate: duplicates, wrong })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => ` (${whole(count)} ${name})`);
  return `${whole(requestsPerSecond)} · ${short(p50Ms)} · ${short(p99Ms)}${troubles.join('')}`;
}

function processorTable(results: readonly CompetitorResult[]): string {
  const own = results.filter(({ rows, lingers, inflight }) => rows === 1 && (lingers || inflight === 1));
  const lines = own.map(({ system, model, inflight, measured }) => {
    const { system: ofSystem, broker, generator } = measured.processorPer1000;
    const seconds = [ofSystem, broker, generator].map((value) => value.toFixed(3)).join(' / ');
    const name = system.startsWith('echo-') ? '' : model;
    return [`\`${system}\``, name, whole(inflight), seconds, whole(measured.machineLimit)];
  });
  return table(['', 'model', 'W', 's per 1,000', 'limit, requests/s'], lines);
}

function aloneTable(results: readonly EngineOnlyResult[]): string {
  const batches = Object.keys(results[0]?.rowsPerSecond ?? {});
  const lines = results.map(({ model, engine, cores, rowsPerSecond }) => [
    model,
    engine,
    String(cores),
    ...batches.map((batch) => whole(rowsPerSecond[batch] ?? NaN)),
  ]);
  return table(['model', 'engine', 'cores', ...batches], lines);
}

function rebalanceTable(results: readonly RebalanceResult[]): string {
  const events = [...new Set(results.map(({ event }) => event))];
  const memberships = [...new Set(results.map(({ membership }) => membership))];
  const gap = (membership: string, event: string): string => {
    const found = results.find((result) => result.membership === membership && result.event === event);
    if (!found) return '';
    const troubles = found.duplicates > 0 ? `, ${found.duplicates} duplicate` : '';
    return `${whole(found.longestGapMs)} ms${troubles}${found.lost > 0 ? `, ${found.lost} lost` : ''}`;
  };
  return table(
    ['', ...events],
    memberships.map((membership) => [membership, ...events.map((event) => gap(membership, event))]),
  );
}

/** Points per curve. */
const MEMORY_POINTS = 12;

function memorySection(results: readonly MemoryResult[]): string[] {
  const [first] = results;
  if (!first) return [];
  const summary = results.map((result) => [
    result.client,
    whole(result.seconds),
    whole(result.baseMiB),
    whole(result.limitMiB),
    whole(result.mostMiB),
    whole(result.kills),
    whole(result.requests),
    whole(result.unanswered),
    whole(result.refused),
    whole(result.repeated),
  ]);
  const step = Math.ceil(first.curve.length / MEMORY_POINTS);
  const starts = first.curve.map(({ second }) => second).filter((_, index) => index % step === 0);
  const curve = results.map(({ client, curve: points }) => [
    client,
    ...starts.map((_, index) =>
      whole(Math.max(...points.slice(index * step, (index + 1) * step).map(({ mostMiB }) => mostMiB))),
    ),
  ]);
  return [
    '## Memory over time',
    `Resident memory of two nodes, MiB, under requests in batches of one in every codec (none, gzip, snappy, lz4, zstd). Every eighth request is 300 kB uncompressed and about 1 kB compressed. One node is killed with SIGKILL every 20 s and another started. The limit is the sum of the memory of an idle node after 200,000 small requests, twice \`PARTITURA_MAX_INFLIGHT_BYTES\`, and one fetch. Repeated replies are those whose offsets a killed node had not committed.`,
    table(
      [
        'client',
        'seconds',
        'base',
        'limit',
        'most',
        'kills',
        'requests',
        'unanswered',
        'refused',
        'repeated',
      ],
      summary,
    ),
    'Maximum of both nodes, by interval:',
    table(['', ...starts.map((second) => `${second} s`)], curve),
  ];
}

function outageTable(results: readonly OutageResult[]): string {
  const clients = [...new Set(results.map(({ client }) => client))];
  const byClient = clients.flatMap((name) => results.filter(({ client }) => client === name));
  const lines = byClient.map(({ client, fault, withoutServiceMs, floorMs, floor, requests, failed }) => [
    client,
    fault,
    `${whole(withoutServiceMs)} ms`,
    floorMs > 0 ? `${whole(floorMs)} ms (${floor})` : floor,
    `${failed} of ${whole(requests)}`,
  ]);
  return table(['client', 'fault', 'without service', 'floor', 'failed'], lines);
}

function growthSection(folder: string, name: string, title: string, what: string): string[] {
  const { results } = read<GrowthResult>(folder, `growth-${name}`);
  const [first] = results;
  if (!first) return [];
  const names = Object.keys(first.figures).filter((figure) => !isTrouble(figure) || hasAny(results, figure));
  const lines = results.map(({ step, figures: found }) => [
    whole(step),
    ...names.map((figure) => (found[figure] ?? NaN).toLocaleString('en')),
  ]);
  return [`### ${title}`, what, table([name, ...names], lines)];
}

function isTrouble(figure: string): boolean {
  return ['lost', 'duplicates', 'wrong'].includes(figure);
}

function hasAny(results: readonly GrowthResult[], figure: string): boolean {
  return results.some(({ figures: found }) => (found[figure] ?? 0) > 0);
}

function table(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...lines.map(line)].join('\n');
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const short = (value: number): string => (value < 10 ? value.toFixed(2) : String(Math.round(value)));
const text = (value: unknown): string => String(value);
