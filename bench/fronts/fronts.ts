import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLASSES, PIXELS } from '../../examples/digits/dataset.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import { BenchHarness, type Prepared } from '../harness.js';
import { processorSeconds } from '../processor-time.js';
import { avroNeedle, type Workload } from '../workloads.js';
import { runHttpLoad, type HttpLoadResult } from './http-load.js';
import { MODEL, pixelsOf } from './requests.js';
import { startBare, startGateway, startMlserver, type FrontServer } from './servers.js';
import { verify } from './verify.js';

/** A measurement of a server in one protocol; `Kafka` is the path without the gateway, in the same run. */
export interface FrontResult extends HttpLoadResult {
  readonly system: string;
  readonly protocol: string;
  readonly rows: number;
  readonly connections: number;
  /** Processor seconds per 1,000 requests, by process. */
  readonly processorPer1000: Readonly<Record<string, number>>;
}

/** Rows of a request, and the connections it is sent on: 3,900 rows are a tensor of 1 MB, and fit the default limit of a request. */
const CELLS = [
  { rows: 1, connections: 1 },
  { rows: 1, connections: 32 },
  { rows: 1, connections: 256 },
  { rows: 3_900, connections: 1 },
  { rows: 3_900, connections: 32 },
] as const;
type FrontCell = (typeof CELLS)[number];

const DURATION = { warmUpMs: 2_000, measureMs: 4_000 };
const MAX_BYTES = 1_000_000;

/** Measures the gateway beside the bare Kafka path of the same node, a bare HTTP server, and MLServer with the same model. */
export async function measureFronts(
  prepared: Prepared,
  print: (line: string) => void,
): Promise<FrontResult[]> {
  const harness = await BenchHarness.open(prepared);
  const results: FrontResult[] = [];
  const take = (result: FrontResult): void => {
    print(describe(result));
    results.push(result);
  };
  try {
    for (const start of [startGateway, startBare, startMlserver]) {
      const server = await start(harness);
      try {
        for (const cell of CELLS) await measureCell(harness, server, cell, take);
      } finally {
        await server.stop();
      }
    }
    return results;
  } finally {
    await harness.close();
  }
}

async function measureCell(
  harness: BenchHarness,
  server: FrontServer,
  cell: FrontCell,
  take: (result: FrontResult) => void,
): Promise<void> {
  const measured = async (protocol: string, run: () => Promise<HttpLoadResult>): Promise<void> => {
    const before = processorTimes(server);
    const result = await run();
    // The warm-up is not in the log of requests, but in the time of the processors.
    const thousands = (result.requestsPerSecond * (DURATION.warmUpMs + DURATION.measureMs)) / 1e6;
    const used = Object.entries(processorTimes(server)).map(
      ([name, seconds]) => [name, (seconds - (before[name] ?? NaN)) / thousands] as const,
    );
    take({ system: server.name, protocol, ...cell, ...result, processorPer1000: Object.fromEntries(used) });
  };
  if (server.address) await measured('Kafka', () => loadKafka(harness, server, cell));
  for (const [protocol, create] of Object.entries(server.requests)) {
    const request = create(cell.rows);
    await verify(request, harness.modelsFolder);
    await measured(protocol, () => runHttpLoad(request, { ...DURATION, connections: cell.connections }));
  }
}

function processorTimes({ pids }: FrontServer): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, processorSeconds(pid)]));
}

async function loadKafka(
  { brokers, partitions, generator, modelsFolder }: BenchHarness,
  { address }: FrontServer,
  { rows, connections }: FrontCell,
): Promise<HttpLoadResult> {
  if (!address) throw new Error('expected a system with topics');
  const load = { brokers, partitions, ...address, ...DURATION, maxBytes: MAX_BYTES };
  const workload = workloadOf(rows, modelsFolder);
  const { requestsPerSecond, p50Ms, p99Ms, requests, lost, wrong } = await generator.run({
    ...load,
    inflight: connections,
    workload,
  });
  return { requestsPerSecond, p50Ms, p99Ms, requests, failed: lost + wrong };
}

function workloadOf(rows: number, modelsFolder: string): Workload {
  const answers = readFileSync(join(modelsFolder, `${MODEL}.expected`));
  const rowBytes = CLASSES * Float32Array.BYTES_PER_ELEMENT;
  const known = answers.length / rowBytes;
  const expected = Array.from({ length: rows }, (_, row) => {
    const start = (row % known) * rowBytes;
    return answers.subarray(start, start + rowBytes);
  });
  const input = { name: 'pixels', datatype: 'FP32' as const, shape: [rows, PIXELS], data: pixelsOf(rows) };
  const rest = { modelVersion: null, outputs: [], parameters: {}, deadline: null };
  const value = encodeRequest({ id: 'front', model: MODEL, inputs: [input], ...rest });
  return { values: [value], expected: [Buffer.concat(expected)], check: 'floats', needle: avroNeedle(rows) };
}

function describe(result: FrontResult): string {
  const { system, protocol, rows, connections, requestsPerSecond, p50Ms, p99Ms, failed } = result;
  const used = Object.entries(result.processorPer1000).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return [
    `${system} ${protocol}`.padEnd(18),
    `× ${rows}, ${connections} connections`.padEnd(24),
    `${Math.round(requestsPerSecond).toLocaleString('en').padStart(8)}/s`,
    `p50 ${p50Ms.toFixed(2)} ms`.padStart(14),
    `p99 ${p99Ms.toFixed(2)} ms`.padStart(15),
    `CPU s/1,000: ${used.join(' ')}`,
    failed === 0 ? '' : `${failed} failed`,
  ].join('  ');
}
