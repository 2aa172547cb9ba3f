import type { LoadResult } from '../generator/generator.js';
import type { BenchHarness, Prepared } from '../harness.js';

/** A dimension in which a cluster grows, with its cost. */
export interface Growth {
  /** Name in the results and on the command line. */
  readonly name: string;
  /** Column heading of the growing quantity. */
  readonly of: string;
  readonly steps: readonly number[];
  /** Measures one step with its own harness. */
  measure(prepared: Prepared, step: number): Promise<Record<string, number>>;
}

export interface GrowthResult {
  readonly growth: string;
  readonly step: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** Opens a harness for one measurement and always closes it. */
export async function within<T>(
  opened: Promise<BenchHarness>,
  use: (harness: BenchHarness) => Promise<T>,
): Promise<T> {
  const harness = await opened;
  try {
    return await use(harness);
  } finally {
    await harness.close();
  }
}

/** Sums up the failures of all loads, by their names in the results. */
export function troubles(...loads: readonly LoadResult[]): Record<'lost' | 'duplicates' | 'wrong', number> {
  const sum = (pick: (load: LoadResult) => number): number =>
    loads.reduce((total, load) => total + pick(load), 0);
  return {
    lost: sum(({ lost }) => lost),
    duplicates: sum(({ duplicates }) => duplicates),
    wrong: sum(({ wrong }) => wrong),
  };
}

/** Measures all steps in sequence. */
export async function measureGrowth(
  growths: readonly Growth[],
  prepared: Prepared,
  report: (line: string) => void,
): Promise<GrowthResult[]> {
  const results: GrowthResult[] = [];
  for (const growth of growths) {
    for (const step of growth.steps) {
      const figures = await growth.measure(prepared, step);
      results.push({ growth: growth.name, step, figures });
      const shown = Object.entries(figures).map(([name, value]) => `${name} ${value.toLocaleString('en')}`);
      report(`${step.toLocaleString('en').padStart(9)} ${growth.of}  ${shown.join(', ')}`);
    }
  }
  return results;
}
