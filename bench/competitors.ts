import type { BenchHarness } from './harness.js';
import { measure, median, type Cell, type Duration, type Measured } from './measure.js';
import type { System } from './systems/system.js';
import { MODELS, type ModelName } from './workloads.js';

/** The selected part of the table. */
export interface Plan extends Duration {
  readonly systems: readonly System[];
  readonly inflight: readonly number[];
  readonly rows: readonly number[];
  /** Number of rounds; each round measures every system once. */
  readonly runs: number;
}

export interface CompetitorResult extends Cell {
  readonly system: string;
  readonly measured: Measured;
}

/** Requests in flight at which senders without linger are measured, too. */
const WITHOUT_LINGER_AT = 64;
/** Later replies are ignored: every system has its own topics. */
const LAST_DRAIN_MS = 5_000;
const WARM_UP: Duration = { warmUpMs: 0, measureMs: 3_000 };

/**
 * Compares systems with one model. Each runs alone, in rounds, so that no system pays for the idling of another and all see
 * the same variations of the machine. An echo has no model and is measured once, with the lightest model.
 */
export async function compareCompetitors(
  harness: BenchHarness,
  model: ModelName,
  plan: Plan,
  report: (line: string) => void,
): Promise<CompetitorResult[]> {
  const runs = new Map<string, { result: Omit<CompetitorResult, 'measured'>; measured: Measured[] }>();
  for (let round = 1; round <= plan.runs; round++) {
    for (const system of plan.systems) {
      if (system.wireFormat === 'echo' && model !== MODELS[0]) continue;
      const visit = { harness, system, model, cells: cellsOf(plan, model), duration: plan };
      await measureCells(visit, (cell, measured) => {
        report(`round ${round}  ${describe(system.name, cell, measured)}`);
        const result = { system: system.name, ...cell };
        const key = JSON.stringify(result);
        const known = runs.get(key);
        if (known) known.measured.push(measured);
        else runs.set(key, { result, measured: [measured] });
      });
    }
  }
  return Array.from(runs.values(), ({ result, measured }) => ({ ...result, measured: median(measured) }));
}

function cellsOf({ inflight, rows }: Plan, model: ModelName): Cell[] {
  return rows.flatMap((count) =>
    inflight.flatMap((under) => {
      const cell = { model, rows: count, inflight: under };
      const quick = { ...cell, lingers: false };
      if (under === 1) return [quick];
      const gathered = { ...cell, lingers: true };
      return under === WITHOUT_LINGER_AT && count === 1 ? [gathered, quick] : [gathered];
    }),
  );
}

/** One system's share of a round. */
interface Visit {
  readonly harness: BenchHarness;
  readonly system: System;
  readonly model: ModelName;
  readonly cells: readonly Cell[];
  readonly duration: Duration;
}

/** Starts a system, measures it in each cell and stops it. */
async function measureCells(
  { harness, system, model, cells, duration }: Visit,
  take: (cell: Cell, measured: Measured) => void,
): Promise<void> {
  const running = await system.start(harness, model);
  const target = { harness, system, running };
  try {
    await measure(target, { model, rows: 1, inflight: 64, lingers: true }, WARM_UP);
    for (const cell of cells) {
      const drainMs = cell === cells.at(-1) ? LAST_DRAIN_MS : undefined;
      take(cell, await measure(target, cell, { ...duration, ...(drainMs && { drainMs }) }));
    }
  } finally {
    await running.stop();
  }
}

/** Formats a measurement as a line. */
export function describe(
  system: string,
  { model, rows, inflight, lingers }: Cell,
  measured: Measured,
): string {
  const { requestsPerSecond, p50Ms, p99Ms, processorPer1000: used, machineLimit } = measured;
  const { requests, duplicates, lost, wrong } = measured;
  return [
    `${model} × ${rows}, W = ${inflight}${lingers || inflight === 1 ? '' : ', no linger'}`.padEnd(34),
    system.padEnd(32),
    `${whole(requestsPerSecond).padStart(8)}/s`,
    `p50 ${p50Ms.toFixed(2)} ms`.padStart(14),
    `p99 ${p99Ms.toFixed(2)} ms`.padStart(15),
    `CPU s/1,000: ${used.system.toFixed(3)} broker ${used.broker.toFixed(3)} generator ${used.generator.toFixed(3)}`,
    `limit ${whole(machineLimit)}/s`,
    duplicates + lost + wrong === 0
      ? ''
      : `of ${whole(requests + lost)}: ${lost} late, ${duplicates} duplicate, ${wrong} wrong`,
  ].join('  ');
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
