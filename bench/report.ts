import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { LoadResult } from './generator/generator.js';

export interface Measured extends LoadResult {
  /** Processor seconds of the measured process and of the generator for 1,000 requests. */
  readonly processorPer1000: number;
  readonly generatorPer1000: number;
}

export interface Row {
  readonly inflight: number;
  readonly echo: Measured;
  readonly partitura: Measured;
}

/** Medians of what is a speed, sums of what must not be. */
export function median(runs: readonly Measured[]): Measured {
  const middle = (pick: (run: Measured) => number): number =>
    runs.map(pick).sort((a, b) => a - b)[Math.floor(runs.length / 2)] ?? NaN;
  const sum = (pick: (run: Measured) => number): number => runs.reduce((total, run) => total + pick(run), 0);
  return {
    requestsPerSecond: middle((run) => run.requestsPerSecond),
    p50Ms: middle((run) => run.p50Ms),
    p99Ms: middle((run) => run.p99Ms),
    processorSeconds: middle((run) => run.processorSeconds),
    processorPer1000: middle((run) => run.processorPer1000),
    generatorPer1000: middle((run) => run.generatorPer1000),
    requests: sum((run) => run.requests),
    checked: sum((run) => run.checked),
    duplicates: sum((run) => run.duplicates),
    wrong: sum((run) => run.wrong),
    lost: sum((run) => run.lost),
  };
}

/** A row as lines for people. */
export function describe({ inflight, echo, partitura }: Row): string {
  const throughput = (partitura.requestsPerSecond / echo.requestsPerSecond).toFixed(2);
  const latency = (partitura.p50Ms / echo.p50Ms).toFixed(2);
  return [
    `W = ${inflight}`,
    describeSystem('echo', echo),
    describeSystem('partitura', partitura),
    `  ratio      throughput ${throughput}, p50 ${latency}`,
  ].join('\n');
}

function describeSystem(name: string, measured: Measured): string {
  const { requestsPerSecond, p50Ms, p99Ms, processorPer1000, generatorPer1000 } = measured;
  const { requests, duplicates, lost, checked, wrong } = measured;
  return [
    `  ${name.padEnd(10)} ${Math.round(requestsPerSecond).toLocaleString('en').padStart(8)}/s`,
    `p50 ${p50Ms.toFixed(2)} ms`,
    `p99 ${p99Ms.toFixed(2)} ms`,
    `processor s per 1,000: ${processorPer1000.toFixed(3)} (generator ${generatorPer1000.toFixed(3)})`,
    `of ${requests.toLocaleString('en')} lost ${lost}, twice ${duplicates}, wrong ${wrong} of ${checked}`,
  ].join('  ');
}

/** Writes the rows, with what they were measured on, into `bench/results/`. */
export function record(root: string, rows: readonly Row[], kafkaClient: string, settings: object): void {
  const environment = {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    processor: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kafkaClient,
    settings,
  };
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'echo.json'), `${JSON.stringify({ environment, rows }, null, 2)}\n`);
}
