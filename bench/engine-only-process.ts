import { Loaders } from '../consumers/engine/thread/loaders.js';
import { CallGuard } from '../consumers/engine/call-guard.js';
import { detectFormat } from '../consumers/engine/formats.js';
import { PIXELS } from '../examples/digits/dataset.js';

/**
 * Measures the model alone in a process: rows per second by batch size, without Kafka, Avro or worker threads.
 * Run by the benchmark as a child process; its arguments are the folder of the version and the number of cores.
 */
const BATCHES = [1, 4, 16, 64, 256, 1_024];
const MEASURE_MS = 1_000;
const WARM_UP_RUNS = 5;

const [, , directory = '', cores = '1'] = process.argv;
process.env['TF_NUM_INTRAOP_THREADS'] = cores;
const format = await detectFormat(directory);
const model = await new Loaders({ backend: 'auto', guard: new CallGuard() }).load({
  directory,
  format,
  cores: Number(cores),
});

async function rowsPerSecond(batch: number): Promise<number> {
  const run = (): unknown =>
    model.run({ shapes: [[batch, PIXELS]], buffers: [new Float32Array(batch * PIXELS).fill(8).buffer] });
  for (let warm = 0; warm < WARM_UP_RUNS; warm++) await run();
  const started = performance.now();
  let runs = 0;
  for (; performance.now() - started < MEASURE_MS; runs++) await run();
  return Math.round((runs * batch * 1_000) / (performance.now() - started));
}

const results: Record<string, number> = {};
for (const batch of BATCHES) results[String(batch)] = await rowsPerSecond(batch);
process.stdout.write(JSON.stringify(results));
