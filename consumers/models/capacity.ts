import type { Batcher } from '../batching/batcher.js';

/** Time for which a record may wait behind others: longer than it takes to fetch the next one, milliseconds. */
const AHEAD_MS = 10;

/** Records that can be taken from a queue now, beside those that are pending. */
export interface Capacity {
  /** Records that an idle engine would start with. */
  readonly idle: number;
  /** Records that would not wait for long behind those being computed. */
  readonly ahead: number;
}

export const NO_CAPACITY: Capacity = { idle: 0, ahead: 0 };

type Computing = { readonly batcher: CapacityBatcher; readonly suspects: CapacityBatcher };
type CapacityBatcher = Pick<Batcher, 'idleRows' | 'pendingRows' | 'rowsWithin'>;

/** Returns the capacity for records of one row each; records of more rows count when they are pending. */
export function capacityOf(signatures: readonly Computing[]): Capacity {
  const busy = signatures
    .flatMap(({ batcher, suspects }) => [batcher, suspects])
    .filter(({ pendingRows }) => pendingRows > 0);
  const [main] = signatures;
  if (!main) return NO_CAPACITY;
  const limiting = busy.length > 0 ? busy : [main.batcher];
  return {
    idle: Math.min(...limiting.map(({ idleRows }) => idleRows)),
    ahead: Math.min(...limiting.map((batcher) => batcher.rowsWithin(AHEAD_MS))),
  };
}
