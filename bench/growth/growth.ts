import type { LoadResult } from '../generator/generator.js';
import type { BenchHarness, Prepared } from '../harness.js';

/** One way in which a cluster grows, and what that costs. */
export interface Growth {
  /** As in the results and on the command line. */
  readonly name: string;
  /** What grows, for the heading of its column. */
  readonly of: string;
  readonly steps: readonly number[];
  /** Measures one step with a laboratory of its own. */
  measure(prepared: Prepared, step: number): Promise<Record<string, number>>;
}

export interface GrowthResult {
  readonly growth: string;
  readonly step: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** Opens a laboratory for one measurement and closes it whatever happens. */
export async function within<T>(
  opened: Promise<BenchHarness>,
  use: (laboratory: BenchHarness) => Promise<T>,
): Promise<T> {
  const laboratory = await opened;
  try {
    return await use(laboratory);
  } finally {
    await laboratory.close();
  }
}

/** What went wrong in all of these together, as the results name it. */
export function troubles(...loads: readonly LoadResult[]): Record<'lost' | 'duplicates' | 'wrong', number> {
  const sum = (pick: (load: LoadResult) => number): number =>
    loads.reduce((total, load) => total + pick(load), 0);
  return {
    lost: sum(({ lost }) => lost),
    duplicates: sum(({ duplicates }) => duplicates),
    wrong: sum(({ wrong }) => wrong),
  };
}

/** Measures every step, one after the other. */
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
