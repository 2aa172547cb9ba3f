/** Each thread has its own copies of models; beyond this number, cores are divided among the threads. */
const MOST_ENGINE_THREADS = 4;

/** Returns the default number of engine threads for a number of cores. */
export function engineThreadsFor(cores: number): number {
  return Math.min(cores, MOST_ENGINE_THREADS);
}
