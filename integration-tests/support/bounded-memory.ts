import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const AT_ONCE = 32;
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;
/** Share of the calls after which memory is measured for the first time: pools and caches are filled by then. */
const WARM_SHARE = 1 / 4;

/**
 * Makes calls, several at a time, and asserts that the memory of this process stays bounded.
 * @param send makes the call with this number, from 1, and returns how it ended
 * @returns the number of calls by their end
 */
export async function callInBoundedMemory<End>(
  count: number,
  send: (number: number) => Promise<End>,
): Promise<Map<End, number>> {
  const ends = new Map<End, number>();
  let sent = 0;
  let warm = 0;
  const sendSome = async (): Promise<void> => {
    while (sent < count) {
      if (++sent === count * WARM_SHARE) warm = usedBytes();
      const end = await send(sent);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
  const growth = usedBytes() - warm;
  assert.ok(growth < MAX_GROWTH_BYTES, `memory grew by ${growth} bytes`);
  return ends;
}

/** Collects garbage and returns the memory in use by this process. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
