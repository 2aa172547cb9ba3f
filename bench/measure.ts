import { availableParallelism } from 'node:os';
import type { Load, LoadResult } from './generator/generator.js';
import type { BenchHarness } from './harness.js';
import { processorSeconds } from './processor-time.js';
import type { RunningSystem, System } from './systems/system.js';
import { createWorkload, type ModelName } from './workloads.js';

/** A cell of the table: the load applied. */
export interface Cell {
  readonly model: ModelName;
  /** Rows per record. */
  readonly rows: number;
  /** Requests in flight. */
  readonly inflight: number;
  /** See `Load`. */
  readonly spread?: Load['spread'];
  /** True if the producer lingers for a millisecond; a single request in flight never waits. */
  readonly lingers: boolean;
}

/** Processor seconds per 1,000 requests. */
export interface ProcessorUse {
  readonly system: number;
  readonly broker: number;
  readonly generator: number;
}

export interface Measured extends LoadResult {
  readonly processorPer1000: ProcessorUse;
  /** Requests per second at which these three would use all cores. */
  readonly machineLimit: number;
}

export interface Duration extends Pick<Load, 'drainMs'> {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** A running system, with the broker and generator that it is measured with. */
export interface Target {
  readonly harness: BenchHarness;
  readonly system: System;
  readonly running: RunningSystem;
}

/** Applies a load to a running system once. */
export async function measure(
  { harness, system, running }: Target,
  cell: Cell,
  duration: Duration,
): Promise<Measured> {
  const { brokerPid, brokers, partitions, modelsFolder } = harness;
  const used = (): number[] => [running.pid, brokerPid].map(processorSeconds);
  const before = used();
  const result = await harness.generator.run({
    brokers,
    partitions,
    ...running.address,
    ...duration,
    inflight: cell.inflight,
    lingerMs: cell.lingers ? 1 : 0,
    ...(cell.spread && { spread: cell.spread }),
    workload: createWorkload(system.wireFormat, cell.model, cell.rows, modelsFolder),
  });
  const thousands = result.requests / 1_000;
  const [ofSystem = NaN, ofBroker = NaN] = used().map(
    (seconds, index) => (seconds - (before[index] ?? NaN)) / thousands,
  );
  const processorPer1000 = {
    system: ofSystem,
    broker: ofBroker,
    generator: result.processorSeconds / thousands,
  };
  const machineLimit = (1_000 * availableParallelism()) / (ofSystem + ofBroker + processorPer1000.generator);
  return { ...result, processorPer1000, machineLimit };
}

/** Combines runs: medians of rates and times, sums of counts. */
export function median(runs: readonly Measured[]): Measured {
  const middle = (pick: (run: Measured) => number): number =>
    runs.map(pick).sort((a, b) => a - b)[Math.floor(runs.length / 2)] ?? NaN;
  const sum = (pick: (run: Measured) => number): number => runs.reduce((total, run) => total + pick(run), 0);
  return {
    requestsPerSecond: middle((run) => run.requestsPerSecond),
    p50Ms: middle((run) => run.p50Ms),
    p99Ms: middle((run) => run.p99Ms),
    processorSeconds: middle((run) => run.processorSeconds),
    processorPer1000: {
      system: middle((run) => run.processorPer1000.system),
      broker: middle((run) => run.processorPer1000.broker),
      generator: middle((run) => run.processorPer1000.generator),
    },
    machineLimit: middle((run) => run.machineLimit),
    requests: sum((run) => run.requests),
    duplicates: sum((run) => run.duplicates),
    wrong: sum((run) => run.wrong),
    longestGapMs: middle((run) => run.longestGapMs),
    lost: sum((run) => run.lost),
  };
}
