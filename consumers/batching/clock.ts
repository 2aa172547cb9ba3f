/** Time as the batcher sees it; tests inject their own. */
export interface BatchClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallTime(): number;
  /** Runs `work` once the input that has arrived is read, so that jobs of one fetch end up in one batch. */
  defer(work: () => void): void;
  after(ms: number, work: () => void): void;
}

export const systemClock: BatchClock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  defer: (work) => void setImmediate(work),
  after: (ms, work) => void setTimeout(work, ms),
};
