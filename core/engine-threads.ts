/** Each holds models of its own; beyond this, cores are shared out within the threads. */
const MOST_ENGINE_THREADS = 4;

/** Engine threads for so many cores, where configuration leaves their number open. */
export function engineThreadsFor(cores: number): number {
  return Math.min(cores, MOST_ENGINE_THREADS);
}
