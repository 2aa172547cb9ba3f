import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NURSERY } from '../local-cluster/role-process.js';

const PROCESS = fileURLToPath(new URL('./path-process.js', import.meta.url));
const LIMIT_MS = 120_000;

/** Measures the processor time of a node per request, in microseconds, without the Kafka client and the engine. */
export async function measurePath(modelsFolder: string): Promise<number> {
  const args = [NURSERY, PROCESS, modelsFolder];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS });
  return Number(stdout);
}
