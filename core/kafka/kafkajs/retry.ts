/** About six seconds in all; whoever called decides then whether to go on. */
export const RETRY = { retries: 8, initialRetryTime: 50, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };
