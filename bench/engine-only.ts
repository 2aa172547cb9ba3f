import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MODELS, type ModelName } from './workloads.js';
import { ENGINES, type EngineName } from './systems/node.js';

const PROCESS = fileURLToPath(new URL('./engine-only-process.js', import.meta.url));
const LIMIT_MS = 120_000;

/** Throughput of an engine with one model and nothing else. */
export interface EngineOnlyResult {
  readonly model: ModelName;
  readonly engine: EngineName;
  /** Cores available to an operation. */
  readonly cores: number;
  /** By batch size. */
  readonly rowsPerSecond: Readonly<Record<string, number>>;
}

/** Measures every model with every engine, on one core and on all cores, each in a separate process. */
export async function measureEngine(
  modelsFolder: string,
  report: (line: string) => void,
): Promise<EngineOnlyResult[]> {
  const results: EngineOnlyResult[] = [];
  for (const model of MODELS)
    for (const engine of ENGINES)
      for (const cores of new Set([1, availableParallelism()])) {
        const rowsPerSecond = await measureOne(join(modelsFolder, `${engine}-${model}`, model, '1'), cores);
        results.push({ model, engine, cores, rowsPerSecond });
        const shown = Object.entries(rowsPerSecond).map(
          ([batch, rate]) => `${batch}: ${rate.toLocaleString('en')}`,
        );
        report(
          `${model.padEnd(9)} ${engine.padEnd(10)} ${cores} cores  rows/s by batch  ${shown.join('  ')}`,
        );
      }
  return results;
}

async function measureOne(directory: string, cores: number): Promise<Record<string, number>> {
  const args = [PROCESS, directory, String(cores)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS });
  return JSON.parse(stdout) as Record<string, number>;
}
