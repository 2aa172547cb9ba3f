import type { Batcher } from '../batching/batcher.js';

type Computing = { readonly batcher: CapacityBatcher; readonly suspects: CapacityBatcher };
type CapacityBatcher = Pick<Batcher, 'idleRows' | 'pendingRows' | 'rowsStartingWithin'>;

/**
 * Returns how many records of one row each can be taken from a queue: those that an idle engine starts with, or those that
 * would wait for at most `aheadMs` milliseconds. Records of more rows count when they are pending.
 * @param signatures of one version, which share the engine; the default one first
 */
export function capacityOf(signatures: readonly Computing[], aheadMs: number): number {
  const all = signatures.flatMap(({ batcher, suspects }) => [batcher, suspects]);
  const busy = all.filter(({ pendingRows }) => pendingRows > 0);
  const limiting = busy.length > 0 ? busy : all.slice(0, 1);
  const rooms = limiting.map((batcher) => Math.max(batcher.idleRows, batcher.rowsStartingWithin(aheadMs)));
  return rooms.length > 0 ? Math.min(...rooms) : 0;
}
